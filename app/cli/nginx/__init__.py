from app.cli.nginx.find import Nginx, check, find
from app.cli.nginx.install import find_or_install
from app.cli.nginx.render import render

__all__ = ["Nginx", "check", "find", "find_or_install", "render"]
