"""What memory a process holds, and the most it ever held (proc(5), status)."""

from pathlib import Path


def resident(pid: int) -> int:
    """Bytes now."""
    return _status(pid, "VmRSS")


def peak(pid: int) -> int:
    """Bytes at the most since the last `forget_peak`."""
    return _status(pid, "VmHWM")


def forget_peak(pid: int) -> None:
    """The peak begins anew from what is held now."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")


def _status(pid: int, name: str) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return 1024 * int(next(line.split()[1] for line in lines if line.startswith(f"{name}:")))
