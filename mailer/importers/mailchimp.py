"""Mailchimp's audience export: one table for each state, and the members of its API."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator, Sequence
from enum import Enum
from itertools import chain

from mailer.domain.subscription import SubscriptionState
from mailer.domain.suppression import SuppressionReason
from mailer.errors import TableRefused
from mailer.importers.bad_row import BadRow
from mailer.importers.export_format import ExportFormat, ExportRows, ReadOptions
from mailer.importers.export_times import parse_export_time
from mailer.importers.headed_table import HeadedTable, TableCells, find_headings, open_headed_table
from mailer.importers.mailchimp_members import find_member_files, read_member_files
from mailer.importers.person_fields import FieldColumns, field_columns, keep_known, parse_rows, read_address
from mailer.importers.person_row import EvidenceGrade, PersonRow, SuppressionEntry
from mailer.importers.source_files import SourceFile
