"""What people read of a run: the page, the workbook, and pseudonyms in place of ids."""
