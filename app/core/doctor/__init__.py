from app.core.doctor.finding import Finding, State
from app.core.doctor.store import check_store

__all__ = ["Finding", "State", "check_store"]
