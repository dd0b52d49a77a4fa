from typing import Literal

from fastapi.responses import JSONResponse

Code = Literal[
    "invalid_request",
    "invalid_client",
    "invalid_grant",
    "unauthorized_client",
    "unsupported_grant_type",
    "unsupported_response_type",
    "unsupported_token_type",
    "invalid_scope",
    "invalid_target",
    "access_denied",
    "server_error",
    "temporarily_unavailable",
    "invalid_redirect_uri",
    "invalid_client_metadata",
    "login_required",
    "consent_required",
]
NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}


class OAuthError(Exception):
    """A refusal as OAuth states it (RFC 6749, 5.2): a code for programs, a sentence for people."""

    def __init__(self, error: Code, description: str, status: int = 400) -> None:
        super().__init__(description)
        self.error = error
        self.description = description
        self.status = status

    def response(self) -> JSONResponse:
        """The answer of an endpoint that programs call."""
        body = {"error": self.error, "error_description": self.description}
        challenge = {"WWW-Authenticate": 'Basic realm="gatepost"'} if self.status == 401 else {}
        return JSONResponse(body, self.status, NO_STORE | challenge)
