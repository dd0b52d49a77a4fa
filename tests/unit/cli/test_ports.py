import socket
import threading

import pytest

from app.cli.output import CliError
from app.cli.ports import free_ports, require_free


def test_free_ports_differ_and_can_be_used() -> None:
    ports = free_ports(3)
    assert len(set(ports)) == 3
    for port in ports:
        require_free("127.0.0.1", port)


def test_a_port_in_use_is_named_with_its_setting() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(CliError, match=rf"port {port} on 127.0.0.1 is in use .*GATEPOST_GATEWAY_PORT"):
            require_free("127.0.0.1", port)


def test_an_address_of_another_machine_is_refused() -> None:
    with pytest.raises(CliError, match=r"cannot listen on 192\.0\.2\.1 port 8080: .*GATEPOST_GATEWAY_HOST"):
        require_free("192.0.2.1", 8080)


def test_a_port_that_is_given_up_meanwhile_is_waited_for() -> None:
    server = socket.create_server(("127.0.0.1", 0))
    port = server.getsockname()[1]
    threading.Timer(0.3, server.close).start()
    require_free("127.0.0.1", port, 20)
