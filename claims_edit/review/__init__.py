"""`review`: a page of this machine on which analysts decide flagged lines, and what they decided."""
