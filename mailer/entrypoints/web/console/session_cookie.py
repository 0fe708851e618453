"""The cookies of the console: the session's, and the one that binds a sign-in to the browser that asked."""

from __future__ import annotations

import hashlib
import hmac

from starlette.requests import Request
from starlette.responses import Response

from mailer.domain.site import Site

SESSION, ASKED = "mailer", "mailer-asked"


def read_cookie(request: Request, site: Site, name: str) -> str:
    """The value of one of our cookies; empty where there is none."""
    return request.cookies.get(_full_name(site, name), "")


def set_cookie(response: Response, site: Site, name: str, value: str, seconds: int) -> None:
    """Have the browser keep a value for so long, for this site's pages alone.

    `__Host-` (RFC 6265bis section 4.1.3.2) and Secure need https; a plain-http url is possible on loopback only.
    """
    secure = _is_secure(site)
    response.set_cookie(
        _full_name(site, name), value, max_age=seconds, path="/", secure=secure, httponly=True, samesite="lax"
    )


def delete_cookie(response: Response, site: Site, name: str) -> None:
    """Have the browser forget a cookie."""
    response.delete_cookie(_full_name(site, name), path="/", secure=_is_secure(site), httponly=True, samesite="lax")


def form_token(session_word: str) -> str:
    """The token that each form of this session carries: nobody can make it who does not know the session's word."""
    return hmac.new(session_word.encode(), b"form token", hashlib.sha256).hexdigest()[:32]


def _is_secure(site: Site) -> bool:
    return site.url.startswith("https://")


def _full_name(site: Site, name: str) -> str:
    return f"__Host-{name}" if _is_secure(site) else name
