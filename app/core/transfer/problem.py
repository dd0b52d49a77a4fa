class TransferError(Exception):
    """An export or import that cannot be done; the message names what, why, and the fix."""
