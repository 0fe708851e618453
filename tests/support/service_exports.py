"""Small exports of newsletter services, as those write them, with invented people of a harvest forum."""

from __future__ import annotations

import json
from typing import Any


def listmonk_subscriber(email: str, status: str = "enabled", **lists: str) -> dict[str, Any]:
    """A subscriber of listmonk's API; `lists` are names with subscription statuses."""
    return {
        "id": len(email),
        "created_at": "2024-02-01T08:00:00Z",
        "updated_at": "2024-02-01T08:00:00Z",
        "uuid": f"uuid-{email}",
        "email": email,
        "name": "Ida Moss",
        "attribs": {"plot": 7, "likes": ["plums", "pears"], "home": {"town": "Ely"}, "lang": "de"},
        "status": status,
        "lists": [
            {
                "subscription_status": state,
                "subscription_created_at": "2024-02-01T08:00:00Z",
                "subscription_updated_at": "2024-02-02T09:00:00+02:00",
                "subscription_meta": {"optin_ip": "192.0.2.9"},
                "id": len(name),
                "uuid": f"uuid-{name}",
                "name": name,
                "optin": "single" if name.startswith("Single") else "double",
            }
            for name, state in lists.items()
        ],
    }


def listmonk_page(*records: object) -> str:
    """An answer of listmonk's API."""
    return json.dumps({"data": {"results": records, "total": len(records), "per_page": 50, "page": 1}})


LISTMONK_TABLE = (
    "uuid,email,name,attributes,status,created_at,updated_at\n"
    'u1,ida@example.org,Ida Moss,"{""plot"": 7}",enabled,'
    "2024-02-01 08:00:00.123456 +0200 CEST,2024-02-01 08:00:00 +0000 UTC\n"
    "u2,blocked@example.org,Blocked,{},blocklisted,2024-02-01 08:00:00 +0000 UTC,2024-02-01 08:00:00 +0000 UTC\n"
    "u3,off@example.org,Off,{},disabled,2024-02-01 08:00:00 +0000 UTC,2024-02-01 08:00:00 +0000 UTC\n"
)
PHPLIST_COLUMNS = (
    "id\tEmail\tIs this subscriber confirmed\tIs this subscriber blacklisted\tDid this subscriber manually confirm\t"
    "Number of bounces\tEntered\tLast Modified\tUnique ID\tSend this subscriber HTML emails\tRSS Frequency\t"
    "Is this account disabled?\tAdditional data\tForeign Key\tName\tTown\tMitgliedschaft in Listen"
)


def phplist_row(email: str, flags: str = "10100", lists: str = "Harvest ", more: str = "Ida Moss\tEly") -> str:
    """A row of phpList's export; `flags` are confirmed, blacklisted, manually confirmed, the bounces, disabled."""
    first, off = "\t".join(flags[:4]), flags[4]
    times = "2024-02-01 08:00:00\t2024-02-02 09:00:00"
    return f"1\t{email}\t{first}\t{times}\tab12\t1\t\t{off}\t\t\t{more}\t{lists}"


def phplist_export(*rows: str) -> str:
    """phpList's export, separated by tabs."""
    return "\n".join((PHPLIST_COLUMNS, *rows, ""))


MAILCHIMP = (
    "Email Address,First Name,Last Name,MEMBER_RATING,OPTIN_TIME,OPTIN_IP,CONFIRM_TIME,CONFIRM_IP,LATITUDE,LONGITUDE,"
    "GMTOFF,DSTOFF,TIMEZONE,CC,REGION,LAST_CHANGED,LEID,EUID,NOTES,TAGS\n"
    "ida@example.org,Ida,Moss,2,2024-02-01 08:00:00,192.0.2.9,2024-02-01 08:05:00,192.0.2.9,,,,,Europe/London,GB,,"
    '2024-02-01 08:05:00,1,aa,,"""Orchard"""\n'
)
KEILA = (
    "Email,First name,Last name,Data,Status,External ID\r\n"
    'ida@example.org,Ida,Moss,"{""plot"":7,""tags"":[""orchard"",""plums""]}",active,f-1\r\n'
    "left@example.org,,,,unsubscribed,\r\n"
    "gone@example.org,,,,unreachable,\r\n"
)
GHOST = (
    "id,email,name,note,subscribed_to_emails,complimentary_plan,stripe_customer_id,created_at,deleted_at,labels,tiers\r\n"
    '1,ida@example.org,Ida Moss,"met, once",true,false,,2024-02-01T08:00:00.000Z,,"Orchard,Plums",Gold\r\n'
    "2,left@example.org,,,false,false,,2024-02-01T08:00:00.000Z,,,\r\n"
    "3,blank@example.org,,,,false,,2024-02-01T08:00:00.000Z,,,\r\n"
    "4,gone@example.org,,,true,false,,2024-02-01T08:00:00.000Z,2024-03-01T08:00:00.000Z,,\r\n"
)
SUBSTACK = (
    "email,active_subscription,expiry,email_disabled,prefer_digests,created_at\n"
    "ida@example.org,false,,false,false,2024-02-01T08:00:00.000Z\n"
    "paid@example.org,true,2027-05-01T00:00:00.000Z,false,true,2024-02-01T08:00:00.000Z\n"
    "off@example.org,false,,true,false,2024-02-01T08:00:00.000Z\n"
)
SUBSTACK_NEWER = (
    "Email,Name,Stripe plan,Cancel date,Start date,Paid upgrade date,Country,State,Type,Sections\n"
    "ida@example.org,Ida Moss,,,2024-02-01T08:00:00.000Z,,GB,Cambs,Free,Main\n"
    "paid@example.org,Paul,Annual,2024-12-01T08:00:00.000Z,2024-02-01T08:00:00.000Z,,DE,,Paid,\n"
)


def buttondown_subscriber(kind: str, **fields: object) -> dict[str, object]:
    """A subscriber of Buttondown's API, whose address is the type."""
    return {
        "id": "sub_1",
        "creation_date": "2024-02-01T08:00:00Z",
        "email_address": f"{kind}@example.org",
        "notes": "",
        "metadata": {"first-name": "Ida"},
        "tags": ["orchard"],
        "type": kind,
        "unsubscription_date": None,
        "unsubscription_reason": "",
        "ip_address": None,
        **fields,
    }


def buttondown_page(*records: object) -> str:
    """An answer of Buttondown's API."""
    return json.dumps({"results": records, "next": None, "previous": None, "count": len(records)})


BREVO = "EMAIL;FIRSTNAME;LASTNAME;ADDED_TIME;MODIFIED_TIME\r\nida@example.org;Ida;Moss;02-03-2024;05-03-2024\r\n"
BREVO_STATUS = (
    "CONTACT ID;EMAIL;FIRSTNAME;ADDED_TIME;MODIFIED_TIME;_listIds;_SUBSCRIBED;_BLOCKLISTED\r\n"
    "1;ida@example.org;Ida;02-03-2024;05-03-2024;[3|12];email_marketing;\r\n"
    "2;left@example.org;;02-03-2024;05-03-2024;[3];;email_marketing|sms_marketing\r\n"
    "3;never@example.org;;02-03-2024;05-03-2024;[3];;\r\n"
    "4;phone@example.org;;02-03-2024;05-03-2024;[12];email_marketing;sms_marketing\r\n"
)
GOOGLE = (
    "Members for group harvest@example.org\n"
    "Email address,Nickname,Group status,Email status,Email preference,Posting permissions,Join year,Join month,"
    "Join day,Join hour,Join minute,Join second,Time zone\n"
    "ida@example.org,Ida Moss,member,,All email,Allowed,2019,3,4,5,6,7,Pacific Standard Time\n"
    "paul@example.org,Paul,manager,,Digest,Not allowed,2019,3,4,5,6,7,Pacific Standard Time\n"
    "bo@example.org,,owner,Bouncing,Abridged,Override,2019,3,4,5,6,7,Pacific Standard Time\n"
    "off@example.org,,member,,No email,Allowed,,,,,,,\n"
    "asked@example.org,,invited,,All email,Allowed,,,,,,,\n"
    "waits@example.org,,pending,,All email,Allowed,,,,,,,\n"
    "troll@example.org,,banned,,All email,Allowed,,,,,,,\n"
)
EXPORTS: dict[str, dict[str, str]] = {
    "listmonk": {
        "subscribers.json": listmonk_page(listmonk_subscriber("ida@example.org", Harvest="confirmed")),
        "confirmed.csv": LISTMONK_TABLE,
    },
    "phplist": {"phpList Export (2026-Nov-20).csv": phplist_export(phplist_row("ida@example.org"))},
    "keila": {"contacts_np_1.csv": KEILA},
    "ghost": {"members.2026-11-20.csv": GHOST},
    "substack": {"email_list.harvest.csv": SUBSTACK, "subscribers.csv": SUBSTACK_NEWER},
    "mailchimp": {"subscribed_email_audience_export_0f3a9c.csv": MAILCHIMP},
    "buttondown": {"subscribers.json": buttondown_page(buttondown_subscriber("regular"))},
    "brevo": {"contacts.csv": BREVO, "contacts-status.csv": BREVO_STATUS},
    "google-groups": {"harvest.csv": GOOGLE},
}
"""By the name of the format: files of it, each of which is recognised alone."""
