"""The demo's service: whoever opens its console is Ada, on Today."""

from __future__ import annotations

from pathlib import Path

import httpx

from mailer.demo.stage import run_demo_service


async def test_the_demos_console_opens_on_today_signed_in_as_ada(tmp_path: Path) -> None:
    async with run_demo_service(tmp_path) as stage, httpx.AsyncClient() as browser:
        entered = await browser.get(f"{stage.inbox_url}/console")
        today = await browser.get(entered.headers["location"])
        async with httpx.AsyncClient() as another:
            unknown = await another.get(f"{stage.base_url}/console")

        assert entered.headers["location"] == f"{stage.base_url}/console"
        assert today.status_code == 200
        assert "Ada Lindqvist" in today.text
        assert unknown.status_code == 303
