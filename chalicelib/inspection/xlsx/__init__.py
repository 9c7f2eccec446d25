"""XLSX (ECMA-376, transitional and strict): a workbook's sheets, read as tables from a zip on disk."""
