"""What requests of OAuth carry, for the OpenAPI document: OAuth's own rules read them, not FastAPI's."""

from typing import Any

from app.auth.clients.presented import ASSERTION_TYPE
from app.auth.oauth.exchange import GRANT_TYPE
from app.auth.oauth.parameters import FORM

_TEXT = {"type": "string"}
_GRANT_TYPES = ["authorization_code", "refresh_token", "client_credentials", GRANT_TYPE]
_CLIENT = ("client_id", "client_secret", "client_assertion")
_GRANT = (
    *("code", "redirect_uri", "code_verifier", "refresh_token", "resource", "scope"),
    *("subject_token", "subject_token_type", "requested_token_type", "audience"),
)
_QUESTION = (
    *("client_id", "redirect_uri", "response_type", "code_challenge"),
    *("code_challenge_method", "resource", "scope", "state", "prompt"),
)
_FIXED: dict[str, list[str]] = {"response_type": ["code"], "code_challenge_method": ["S256"]}

TOKEN_FORM: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            FORM: {
                "schema": {
                    "type": "object",
                    "required": ["grant_type"],
                    "properties": {
                        "grant_type": {"type": "string", "enum": _GRANT_TYPES},
                        "client_assertion_type": {"type": "string", "enum": [ASSERTION_TYPE]},
                        **dict.fromkeys((*_CLIENT, *_GRANT), _TEXT),
                    },
                }
            }
        },
    }
}
AUTHORIZE_QUERY: dict[str, Any] = {
    "parameters": [
        {
            "name": name,
            "in": "query",
            "required": name in _QUESTION[:5],
            "schema": {"type": "string", **({"enum": _FIXED[name]} if name in _FIXED else {})},
        }
        for name in _QUESTION
    ]
}
