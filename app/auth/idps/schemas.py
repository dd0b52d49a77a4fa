from typing import Literal

from pydantic import BaseModel, Field

State = Literal["ok", "warning", "failed"]


class Idp(BaseModel):
    """A provider as it is configured; nothing of it is secret."""

    name: str
    type: str
    label: str
    default: bool
    issuer: str | None = Field(None, description="the issuer, or where its metadata is")


class Step(BaseModel):
    """One thing that was tried at the provider."""

    step: str
    state: State
    detail: str
    fix: str | None = Field(None, description="what to do, where it is not ok")


class Report(BaseModel):
    """What a check of a provider found; `ok` where no step failed."""

    name: str
    type: str
    ok: bool
    steps: list[Step]


def ok(step: str, detail: str) -> Step:
    """A step that went well."""
    return Step(step=step, state="ok", detail=detail)


def warning(step: str, detail: str, fix: str) -> Step:
    """A step that may be meant so."""
    return Step(step=step, state="warning", detail=detail, fix=fix)


def failed(step: str, detail: str, fix: str) -> Step:
    """A step that no login gets past."""
    return Step(step=step, state="failed", detail=detail, fix=fix)
