"""Every action that takes an actor: what it asks for, what it writes into the audit log, and a call to try it."""

from __future__ import annotations

import inspect
import io
import pkgutil
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import Connection

import mailer.actions
from mailer.actions.accounts import organisers, sessions, show_audit_log, show_organisers, sign_in
from mailer.actions.archive import archive_choice, import_letters, moderate_webmentions
from mailer.actions.campaigns import (
    again,
    approve,
    board,
    choose_readers,
    correct,
    draft_media,
    drafts,
    edition_audience,
    editions,
    live_status,
    local_files,
    new_campaign,
    pause_resume_cancel,
    preview,
    preview_draft,
    recipients,
    report,
    rest,
    results,
    retry_settle,
    review,
    schedule,
    send_test,
    show_letter,
    show_source,
    unschedule,
    versions,
)
from mailer.actions.campaigns.preflight import check_campaign
from mailer.actions.exports import export_all, export_for_peer, export_people, export_person
from mailer.actions.imports import (
    import_people,
    invite_pending,
    list_imports,
    plan_import,
    run_import,
    undo_import,
)
from mailer.actions.lists import edit_list, list_pages, media, people_numbers, set_design, show_list
from mailer.actions.maintenance import check_health, show_sending, today
from mailer.actions.subscriptions import (
    find_people,
    restore_people,
    restore_person,
    show_person,
)
from mailer.actions.templates import add_template, check_template, remove_template, show_templates
from mailer.app import App
from mailer.domain.accounts.actor import Actor
from mailer.domain.accounts.audit import Act
from mailer.domain.accounts.role import Permission, Role
from mailer.domain.address import Address
from mailer.domain.campaign import CampaignFilter
from mailer.domain.consent import Channel, Evidence
from mailer.domain.delivery import Decision, DeliveryState
from mailer.importers.person_row import PersonRow
from mailer.importers.source_files import SourceFile
from mailer.mail.templates.example_templates import read_example
from mailer.store import campaigns, mailing_lists
from mailer.store.imports import import_runs
from mailer.store.imports.import_runs import ImportedSource
from tests.support.app_helpers import ADMIN, APPEAL
from tests.support.console_helpers import Furniture
from tests.support.invented_exports import invented_export

READ, TRANSLATE, WRITE, SEND = Permission.READ, Permission.TRANSLATE, Permission.WRITE, Permission.SEND
SEE_PEOPLE, CHANGE_PEOPLE = Permission.SEE_PEOPLE, Permission.CHANGE_PEOPLE
MANAGE_LIST, MANAGE_SITE = Permission.MANAGE_LIST, Permission.MANAGE_SITE
_EMMA, _ORIT = "emma@example.org", "orit@example.org"
_TEXT = {"en.md": APPEAL.replace("2027-03-05", "2027-06-05")}
_PLAIN = "---\nsubject: Seeds\n---\nCome.\n"


@dataclass(frozen=True, slots=True)
class TriedHouse:
    """The furnished house on which an action is tried."""

    app: App
    furniture: Furniture

    def campaign(self, state: str) -> int:
        """The campaign of which that became."""
        return self.furniture.campaigns[state]


@dataclass(frozen=True, slots=True)
class TriedAction:
    """What an action promises."""

    permission: Permission | None
    """On the list `appeals`, MANAGE_SITE on the site; None for whoever is signed in, who sees what is theirs."""
    call: Callable[[TriedHouse, Actor], Awaitable[object] | AsyncIterator[object] | object]
    acts: tuple[Act, ...] = ()
    """The lines it writes where it may."""
    is_anywhere: bool = False
    """Whether the permission on any list is enough, of whose people it tells."""
    language: str = "en"
    """The edition's, where TRANSLATE is asked for."""


ACTIONS: dict[str, TriedAction] = {}
"""By `group.module.function`."""


def _tried(
    function: Callable[..., Any],
    permission: Permission | None,
    call: Callable[[TriedHouse, Actor], Any],
    *acts: Act,
    is_anywhere: bool = False,
    language: str = "en",
) -> None:
    name = f"{function.__module__.removeprefix('mailer.actions.')}.{function.__name__}"
    ACTIONS[name] = TriedAction(permission, call, acts, is_anywhere, language)


def _try_with_campaign(
    function: Callable[..., Any], permission: Permission, state: str, *acts: Act, **more: Any
) -> None:
    _tried(
        function,
        permission,
        lambda house, who: function(house.app, who, house.campaign(state), **more),
        *acts,
        language=more.get("language", "en"),
    )


def _try_with_draft(function: Callable[..., Any], permission: Permission, *acts: Act, **more: Any) -> None:
    more.setdefault("language", "en")
    _try_with_campaign(function, permission, "draft", *acts, **more)


def _fill_accounts() -> None:
    give, take = organisers.give_role, organisers.take_role
    _tried(
        give,
        MANAGE_LIST,
        lambda house, who: give(house.app, who, "nils@example.org", Role.EDITOR, list_name="appeals"),
        Act.ADD_ORGANISER,
    )
    _tried(
        take,
        MANAGE_LIST,
        lambda house, who: take(house.app, who, _EMMA, Role.EDITOR, list_name="appeals"),
        Act.TAKE_ROLE,
    )
    remove, link = organisers.remove_organiser, sign_in.make_sign_in_link
    _tried(remove, MANAGE_SITE, lambda house, who: remove(house.app, who, _ORIT), Act.REMOVE_ORGANISER)
    _tried(link, MANAGE_SITE, lambda house, who: link(house.app, who, _ORIT), Act.MAKE_SIGN_IN_LINK)
    change = organisers.change_profile
    _tried(
        change,
        None,
        lambda house, who: change(house.app, who, name="Somebody", speaks="de", zone="Asia/Tokyo"),
        Act.CHANGE_ORGANISER,
    )
    _tried(sessions.list_sessions, None, lambda house, who: sessions.list_sessions(house.app, who))
    _tried(sessions.revoke_session, MANAGE_SITE, _revoke_orits_session, Act.REVOKE_SESSION)
    page, all_lines = show_audit_log.audit_page, show_audit_log.all_audit_lines
    _tried(page, MANAGE_SITE, lambda house, who: page(house.app, who))
    _tried(all_lines, MANAGE_LIST, lambda house, who: all_lines(house.app, who, list_name="appeals"))
    people = show_organisers.show_organisers
    _tried(people, MANAGE_LIST, lambda house, who: people(house.app, who, "appeals"))
    _tried(show_organisers.show_own_roles, None, lambda house, who: show_organisers.show_own_roles(house.app, who))
    _tried(show_organisers.lists_to_manage, None, lambda house, who: show_organisers.lists_to_manage(house.app, who))


async def _revoke_orits_session(house: TriedHouse, who: Actor) -> None:
    session = await sessions.find_session(house.app, house.furniture.words["Orit"])
    assert session is not None
    await sessions.revoke_session(house.app, who, session.id)


def _fill_lists_and_people() -> None:
    add, change = edit_list.add_list, edit_list.set_list
    _tried(
        add,
        MANAGE_SITE,
        lambda house, who: add(house.app, who, name="walks", title="Walks", owner="ada@example.org"),
        Act.ADD_LIST,
    )
    _tried(
        change, MANAGE_LIST, lambda house, who: change(house.app, who, "appeals", zone="Asia/Tokyo"), Act.CHANGE_LIST
    )
    for one in (show_list.show_list, list_pages.list_details):
        _tried(one, READ, lambda house, who, one=one: one(house.app, who, "appeals"))
    for many in (show_list.list_page, show_list.show_lists, list_pages.lists_with_people):
        _tried(many, None, lambda house, who, many=many: many(house.app, who))
    by_language, days = people_numbers.audience_by_language, people_numbers.joins_and_leaves
    _tried(by_language, READ, lambda house, who: by_language(house.app, who, 1))
    _tried(days, READ, lambda house, who: days(house.app, who, 1))
    to_change = list_pages.list_to_change
    _tried(to_change, MANAGE_LIST, lambda house, who: to_change(house.app, who, "appeals"))
    design = set_design.set_design
    _tried(
        design, MANAGE_LIST, lambda house, who: design(house.app, who, "appeals", accent_color="#205"), Act.CHANGE_LIST
    )
    _tried(media.add_media, WRITE, _add_notes, Act.ADD_MEDIA)
    _tried(media.media_page, MANAGE_SITE, lambda house, who: media.media_page(house.app, who))
    _tried(media.all_media, MANAGE_SITE, lambda house, who: media.all_media(house.app, who))
    _tried(import_letters.import_letters, MANAGE_LIST, _import_letters, Act.IMPORT_LETTERS)
    drop = import_letters.drop_earlier_letters
    _tried(drop, MANAGE_LIST, lambda house, who: drop(house.app, who, "appeals"), Act.DROP_LETTERS)
    _tried(import_people.import_people, CHANGE_PEOPLE, _import, Act.START_IMPORT, Act.END_IMPORT)
    _tried(plan_import.plan_import, CHANGE_PEOPLE, _plan_import)
    invite = invite_pending.invite_pending
    _tried(invite, CHANGE_PEOPLE, lambda house, who: invite(house.app, who, "appeals"), Act.INVITE_PEOPLE)
    _tried(run_import.run_import, CHANGE_PEOPLE, _run_import, Act.START_IMPORT, Act.END_IMPORT)
    _fill_import_runs()
    export = export_people.export_people
    _tried(
        export,
        CHANGE_PEOPLE,
        lambda house, who: export(house.app, who, list_name="appeals", file=io.StringIO(), everybody=True),
        Act.EXPORT_PEOPLE,
    )
    whole, for_peer = export_all.export_all, export_for_peer.export_for_peer
    _tried(whole, MANAGE_LIST, _export_whole, Act.EXPORT_ALL)
    _tried(for_peer, MANAGE_LIST, lambda house, who: _export_whole(house, who, peer="ghost"), Act.EXPORT_ALL)
    of_one = export_person.export_person
    _tried(
        of_one,
        SEE_PEOPLE,
        lambda house, who: of_one(house.app, who, "appeals1@example.org"),
        Act.EXPORT_PERSON,
        is_anywhere=True,
    )
    find = find_people.find_people
    _tried(find, SEE_PEOPLE, lambda house, who: find(house.app, who, "appeals"), is_anywhere=True)
    one, number = show_person.show_person, show_person.show_subscriber
    _tried(one, SEE_PEOPLE, lambda house, who: one(house.app, who, "forum1@example.org"), is_anywhere=True)
    _tried(number, SEE_PEOPLE, lambda house, who: number(house.app, who, 31), is_anywhere=True)
    restore = restore_person.restore_person
    _tried(
        restore,
        CHANGE_PEOPLE,
        lambda house, who: restore(house.app, who, "appeals3@example.org", list_name="appeals"),
    )
    many_back = restore_people.restore_people
    _tried(
        many_back,
        MANAGE_SITE,
        lambda house, who: many_back(
            house.app, who, since=house.app.clock() - timedelta(days=30), until=None, provider="example.org"
        ),
        Act.RESTORE_PEOPLE,
        Act.RESTORE_PEOPLE,
    )


async def _export_whole(house: TriedHouse, who: Actor, **more: str) -> None:
    function = export_for_peer.export_for_peer if more else export_all.export_all
    with TemporaryDirectory() as folder:
        await function(house.app, who, list_name="appeals", folder=Path(folder), **more)


def _fill_import_runs() -> None:
    undo, preview = undo_import.undo_import, undo_import.preview_undo
    _tried(undo, CHANGE_PEOPLE, _undo_import, Act.UNDO_IMPORT, Act.UNDO_IMPORT)
    _tried(
        preview, CHANGE_PEOPLE, lambda house, who: _with_import(house, lambda number: preview(house.app, who, number))
    )
    show, many = list_imports.show_import, list_imports.list_imports
    _tried(show, SEE_PEOPLE, lambda house, who: _with_import(house, lambda number: show(house.app, who, number)))
    _tried(many, SEE_PEOPLE, lambda house, who: many(house.app, who), is_anywhere=True)


def _undo_import(house: TriedHouse, who: Actor) -> Awaitable[object]:
    return _with_import(house, lambda number: undo_import.undo_import(house.app, who, number))


async def _with_import(house: TriedHouse, act: Callable[[int], Awaitable[object]]) -> None:
    def begin(tx: Connection) -> int:
        source = ImportedSource(name="csv", file_name="people.csv", sha256="")
        list_id = mailing_lists.get_by_name(tx, "appeals").id
        return import_runs.begin(tx, list_id, source, started_by="ada", now=house.app.clock())

    await act(await house.app.database.write(begin))


def _add_notes(house: TriedHouse, who: Actor) -> Awaitable[object]:
    return media.add_media(house.app, who, list_name="appeals", name="notes.txt", octets=b"Bring a basket.\n")


def _import(house: TriedHouse, who: Actor) -> Awaitable[object]:
    file = io.StringIO("email,name\nnew-reader@example.org,Nora Newcomer\n")
    evidence = Evidence(Channel.IMPORT, {"file": "people.csv"})
    return import_people.import_people(house.app, who, list_name="appeals", file=file, evidence=evidence)


async def _plan_import(house: TriedHouse, who: Actor) -> None:
    export = invented_export(PersonRow(address=Address("new-reader@example.org"), attributes={}))
    async with await plan_import.plan_import(house.app, who, list_name="appeals", export=export):
        pass


async def _run_import(house: TriedHouse, who: Actor) -> None:
    export = invented_export(PersonRow(address=Address("new-reader@example.org"), attributes={}))
    async with await plan_import.plan_import(house.app, ADMIN, list_name="appeals", export=export) as plan:
        await run_import.run_import(house.app, who, plan)


def _import_letters(house: TriedHouse, who: Actor) -> Awaitable[object]:
    mail = b"From: Ada <ada@example.org>\nDate: Mon, 2 Nov 2026 09:00:00 +0000\nSubject: Seeds\n\nBring your own.\n"
    file = SourceFile(name="1", size=len(mail), open=lambda: io.BytesIO(mail))
    return import_letters.import_letters(house.app, who, list_name="appeals", files=[file])


def _fill_templates() -> None:
    add, check, remove = add_template.add_template, check_template.check_template, remove_template.remove_template
    _tried(add, MANAGE_SITE, lambda house, who: add(house.app, who, "orchard", read_example()), Act.ADD_TEMPLATE)
    _tried(check, MANAGE_SITE, lambda house, who: check(house.app, who, read_example()))
    _tried(remove, MANAGE_SITE, lambda house, who: remove(house.app, who, "walks"), Act.REMOVE_TEMPLATE)
    show, sample = show_templates.show_template, show_templates.show_sample
    _tried(show, MANAGE_SITE, lambda house, who: show(house.app, who, "walks"))
    _tried(sample, MANAGE_SITE, lambda house, who: sample(house.app, who, "walks", None, "tr"))
    for many in (show_templates.list_templates, show_templates.template_names):
        _tried(many, None, lambda house, who, many=many: many(house.app, who))


_NAMES_NOTES = {"en.md": "---\nsubject: Seeds\nattachments: [notes.txt]\n---\nCome.\n"}


def _read(_file: str, _path: str) -> bytes:
    return b"Bring a basket.\n"


def _fill_writing() -> None:
    new, letter = new_campaign.new_campaign, drafts.new_letter
    _tried(new, WRITE, lambda house, who: new(house.app, who, list_name="appeals", texts=_TEXT), Act.ADD_CAMPAIGN)
    _tried(letter, WRITE, lambda house, who: letter(house.app, who, list_name="appeals"), Act.ADD_CAMPAIGN)
    take = local_files.take_local_files
    _tried(
        take, WRITE, lambda house, who: take(house.app, who, _NAMES_NOTES, _read, list_name="appeals"), Act.ADD_MEDIA
    )
    notes = {"name": "notes.txt", "octets": b"Bring a basket.\n"}
    _try_with_draft(draft_media.add_draft_media, TRANSLATE, Act.ADD_MEDIA, **notes)
    _try_with_campaign(again.again, WRITE, "sent", Act.ADD_CAMPAIGN)
    _try_with_campaign(approve.approve, WRITE, "draft", Act.APPROVE_CAMPAIGN)
    _try_with_campaign(
        correct.correct, WRITE, "draft", Act.WRITE_CAMPAIGN, Act.CORRECT_CAMPAIGN, texts={"en.md": _PLAIN}
    )
    _try_with_draft(drafts.load_draft, READ)
    _try_with_draft(drafts.save_draft, TRANSLATE, Act.WRITE_CAMPAIGN, version=0, text=_PLAIN)
    _try_with_draft(editions.add_edition, TRANSLATE, Act.ADD_EDITION, language="de")
    _try_with_draft(editions.remove_edition, WRITE, Act.REMOVE_EDITION, language="tr")
    _try_with_draft(editions.mark_up_to_date, TRANSLATE, language="tr")  # it is up to date: there is nothing to write
    _try_with_campaign(edition_audience.choose_editions, SEND, "draft", Act.CHOOSE_EDITIONS, languages=("tr",))
    _tried(rest.rest, WRITE, _send_the_rest, Act.ADD_CAMPAIGN)
    _try_with_campaign(check_campaign.check_campaign, READ, "draft")
    _try_with_campaign(check_campaign.require_no_blocker, READ, "draft", anyway=False)
    _try_with_campaign(choose_readers.choose_readers, READ, "draft")
    _try_with_campaign(preview.preview, READ, "draft")
    _try_with_draft(preview_draft.preview_draft, READ)
    _try_with_campaign(review.review, READ, "draft")
    to = ["ada@example.org"]
    _try_with_campaign(send_test.send_test, WRITE, "draft", Act.SEND_TEST, to=to)
    _try_with_campaign(send_test.list_tests, READ, "draft")
    _try_with_campaign(show_source.show_source, READ, "draft")
    _try_with_draft(versions.list_versions, READ)
    _try_with_draft(versions.load_version, READ, version=0)


async def _send_the_rest(house: TriedHouse, who: Actor) -> int:
    campaign_id = house.campaign("sent")
    await house.app.database.write(campaigns.set_audience, campaign_id, ("en",), None)
    return await rest.rest(house.app, who, campaign_id)


def _fill_sending() -> None:
    at = {"local_time": "2027-03-20T09:00", "zone": "Europe/Berlin"}
    _try_with_campaign(schedule.schedule, SEND, "draft", Act.SCHEDULE_CAMPAIGN, **at)
    _try_with_campaign(schedule.send_now, SEND, "draft", Act.SCHEDULE_CAMPAIGN, wait_s=30)
    _try_with_campaign(unschedule.unschedule, SEND, "scheduled", Act.UNSCHEDULE_CAMPAIGN)
    _try_with_campaign(pause_resume_cancel.pause, SEND, "sending", Act.PAUSE_CAMPAIGN)
    _try_with_campaign(pause_resume_cancel.resume, SEND, "paused", Act.RESUME_CAMPAIGN)
    _try_with_campaign(pause_resume_cancel.cancel, SEND, "paused", Act.CANCEL_CAMPAIGN)
    _try_with_campaign(correct.correct_from_drafts, SEND, "paused", Act.CORRECT_CAMPAIGN)
    _try_with_campaign(archive_choice.set_archived, SEND, "sent", Act.ARCHIVE_CAMPAIGN, archived=False)
    _try_with_campaign(archive_choice.choose_archive, MANAGE_LIST, "draft", Act.CHANGE_LIST, mode="public")
    _try_with_campaign(retry_settle.retry_failed, SEND, "sent", Act.RETRY_FAILED)
    decision = Decision.ACCEPTED
    _try_with_campaign(retry_settle.resolve_uncertain, SEND, "uncertain", Act.SETTLE_UNCERTAIN, decision=decision)


def _fill_reports() -> None:
    for one in (
        board.open_campaign,
        live_status.live_status,
        report.campaign_status,
        report.feedback_summary,
        report.audience_size,
        results.show_results,
    ):
        _try_with_campaign(one, READ, "sent")
    _try_with_campaign(report.report, SEE_PEOPLE, "sent", Act.EXPORT_RECIPIENTS)
    _try_with_campaign(recipients.list_recipients, SEE_PEOPLE, "sent", states=(DeliveryState.FAILED,))
    _try_with_campaign(show_letter.show_letter, SEE_PEOPLE, "sent", reader="appeals1@example.org")
    letters = show_letter.list_letters
    _tried(letters, SEE_PEOPLE, lambda house, who: letters(house.app, who, "appeals1@example.org"), is_anywhere=True)
    _try_with_campaign(recipients.find_recipients, SEE_PEOPLE, "sent", address="appeals")
    for many in (
        board.load_board,
        board.lists_to_write_for,
        report.list_campaigns,
        report.all_campaigns,
        today.load_today,
        show_sending.show_sending,
    ):
        _tried(many, None, lambda house, who, many=many: many(house.app, who))
    wanted = CampaignFilter(words="seeds")
    _tried(board.find_campaigns, None, lambda house, who: board.find_campaigns(house.app, who, wanted))
    _tried(board.campaigns_between, None, _this_year)
    _tried(check_health.check_health, MANAGE_SITE, lambda house, who: check_health.check_health(house.app, who))
    _tried(check_health.health_report, MANAGE_SITE, lambda house, who: check_health.health_report(house.app, who))


def _fill_archive() -> None:
    listed, accept, reject = (
        moderate_webmentions.list_webmentions,
        moderate_webmentions.accept_webmention,
        moderate_webmentions.reject_webmention,
    )
    _tried(listed, WRITE, lambda house, who: listed(house.app, who), is_anywhere=True)
    _tried(accept, WRITE, lambda house, who: accept(house.app, who, 1), Act.ACCEPT_WEBMENTION)
    _tried(reject, WRITE, lambda house, who: reject(house.app, who, 1), Act.REJECT_WEBMENTION)


def _this_year(house: TriedHouse, who: Actor) -> Awaitable[object]:
    now = house.app.clock()
    return board.campaigns_between(house.app, who, now - timedelta(days=300), now + timedelta(days=60))


def find_actions() -> Iterator[tuple[str, str, str]]:
    """Yield each action of an organiser or a command: its key in ACTIONS, its module, its name.

    An action is a public function of mailer/actions whose first arguments are the App, or the settings, and the actor;
    with a `permission` to ask for it is a part of actions.
    """
    for found in pkgutil.walk_packages(mailer.actions.__path__, "mailer.actions."):
        module = import_module(found.name)
        for name, function in vars(module).items():
            if not inspect.isfunction(function) or function.__module__ != found.name or name.startswith("_"):
                continue
            arguments = list(inspect.signature(function).parameters)
            if arguments[:2] in (["app", "actor"], ["settings", "actor"]) and "permission" not in arguments:
                yield f"{found.name.removeprefix('mailer.actions.')}.{name}", found.name, name


_FILLS = (
    _fill_accounts,
    _fill_lists_and_people,
    _fill_templates,
    _fill_writing,
    _fill_sending,
    _fill_reports,
    _fill_archive,
)
for _fill in _FILLS:
    _fill()
