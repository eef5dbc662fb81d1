"""Files as stores: CSV drop folders and Excel workbooks, read into a local index."""

from adapters.tabular.csv import CsvSource
from adapters.tabular.xlsx import XlsxSource

__all__ = ["CsvSource", "XlsxSource"]
