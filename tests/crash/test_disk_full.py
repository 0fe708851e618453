"""A full disk stops the sending and loses nobody: the service says so, and goes on when there is room."""

from __future__ import annotations

import errno
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.crash_audit import audit_letters, read_log
from tests.support.crash_harness import OpenInstallation, addresses

pytestmark = pytest.mark.slow

PEOPLE, CONNECTIONS, SMALL = 3000, 10, "16m"
ROOM_OCTETS = 1 << 18
"""What is left of the disk: enough to open the doors, not enough to launch."""


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own, of a few megabytes."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ("mount", "-t", "tmpfs", "-o", f"size={SMALL}", "crash", disk)
    if os.geteuid() != 0 or subprocess.run(mount, check=False).returncode != 0:
        pytest.skip("mounting a small disk needs root, and a kernel that lets it")
    yield disk
    subprocess.run(["umount", "--lazy", disk], check=True)


async def test_a_full_disk_loses_nobody_and_sending_goes_on_when_there_is_room(
    small_disk: Path, opens: OpenInstallation
) -> None:
    house, people = (
        await opens(database=f"sqlite:///{small_disk}/mailer.db", connections=CONNECTIONS),
        addresses(PEOPLE),
    )
    await house.import_people(people)
    campaign_id = await house.send_campaign()
    filler = small_disk / "somebody_elses"
    fill(filler, leaving=ROOM_OCTETS)

    process, _ = await house.start_serving()
    await process.wait_for_line("full")  # in the launch
    filler.unlink()
    await house.sink.wait_taken(PEOPLE // 3)
    fill(filler, leaving=0)  # in mid-blast
    meanwhile = await house.status(campaign_id)
    filler.unlink()
    status = await house.wait_sent(campaign_id, process)
    await process.terminate()

    assert "failed" not in meanwhile["counts"], meanwhile
    found = audit_letters(people, await house.report(campaign_id), read_log(house.sink.log))
    assert found.broken_promises(most_repeats=2 * CONNECTIONS) == {}
    assert status["counts"] == {"accepted": PEOPLE}


def fill(file: Path, leaving: int) -> None:
    """Take all room but this; with 0 to the last octet."""
    room = os.statvfs(file.parent)
    with file.open("wb", buffering=0) as out:
        try:
            out.write(b"\0" * max(0, room.f_bavail * room.f_frsize - leaving))
            while leaving == 0:
                out.write(b"\0" * 4096)
        except OSError as trouble:
            if trouble.errno != errno.ENOSPC:
                raise
