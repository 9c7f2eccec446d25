"""Recibo: a receipt for every file that lands in an S3 bucket."""
