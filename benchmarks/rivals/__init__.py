"""What the program is measured against, each a process of its own."""
