from app.core.transfer.exporting import export_store
from app.core.transfer.importing import import_store
from app.core.transfer.problem import TransferError

__all__ = ["TransferError", "export_store", "import_store"]
