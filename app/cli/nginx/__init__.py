from app.cli.nginx.find import Nginx, check, find
from app.cli.nginx.install import find_or_install
from app.cli.nginx.render import render, warn_of_proxy

__all__ = ["Nginx", "check", "find", "find_or_install", "render", "warn_of_proxy"]
