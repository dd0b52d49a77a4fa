"""`gatepost audit ship`: from NGINX's audit log to the registry, each line once."""

from app.cli.shipping.shipper import ship

__all__ = ["ship"]
