"""Handlers that take signed calls."""

from fastapi.dependencies.models import Dependant

from services.kit.http.routing import caller_checks
from services.kit.http.signed_calls import _Signature


def is_signed_call(dependant: Dependant) -> bool:
    return any(isinstance(check, _Signature) for check in caller_checks(dependant))
