from app.core.transfer.archive import TransferError
from app.core.transfer.exporting import export_store
from app.core.transfer.importing import import_store

__all__ = ["TransferError", "export_store", "import_store"]
