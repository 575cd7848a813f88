"""The published report: a folder of pages that open from the file system, made from the rows of runs."""
