"""The tables of `review.sqlite`: what was done to which line, one row after the other, and where each
line stands."""

from __future__ import annotations

# What marks the file as one of this program, and the version of its tables.
APPLICATION_ID, VERSION = 0x636C6564, 1

# An event has all that holds of the line after it: the decision that stands (`decision_id`, the event
# that made it), who it is assigned to, and `after_id`, the event that this goes back to: its own, or, of
# an undone one, the one before what is undone; null as the run left it. `before_id` is that of before.
_EVENTS = """
create table events (
    event_id integer primary key,
    batch integer not null,
    run_id text not null,
    claim_id text not null,
    claim_line_number integer not null,
    member_id text not null,
    version integer not null check (version > 0),
    what text not null check (what in ('decided', 'assigned', 'undone')),
    who text not null check (who <> ''),
    at text not null,
    decision text check (decision in ('uphold', 'override', 'documents')),
    reason_code text,
    note text,
    disposition text not null,
    billed_units text not null,
    allowed_units text not null,
    edit_ids text not null,
    primary_edit_id text,
    assignee text,
    decision_id integer references events (event_id),
    after_id integer references events (event_id),
    before_id integer references events (event_id),
    undoes_id integer references events (event_id),
    check ((what = 'decided') = (decision is not null)),
    check ((what = 'undone') = (undoes_id is not null)),
    check (decision is not 'override' or reason_code is not null),
    unique (run_id, claim_id, claim_line_number, version)
)"""

_STATES = """
create table states (
    run_id text not null,
    claim_id text not null,
    claim_line_number integer not null,
    event_id integer not null references events (event_id),
    primary key (run_id, claim_id, claim_line_number)
) without rowid"""

_FOLLOW = """
create trigger states_follow after insert on events begin
    insert into states values (new.run_id, new.claim_id, new.claim_line_number, new.event_id)
    on conflict do update set event_id = new.event_id;
end"""

STATEMENTS = (
    _EVENTS,
    "create index events_of_a_batch on events (batch)",
    _STATES,
    "create index states_by_event on states (event_id)",
    _FOLLOW,
    "create trigger events_stay before update on events begin select raise(abort, 'kept'); end",
    "create trigger events_last before delete on events begin select raise(abort, 'kept'); end",
    f"pragma application_id = {APPLICATION_ID}",
    f"pragma user_version = {VERSION}",
)

# Where lines stand, of the events after one. `d` is the decision that stands, if any.
STATES_AFTER = """
select e.run_id, e.claim_id, e.claim_line_number, e.event_id, e.version, e.assignee,
    d.decision as standing, d.reason_code as standing_reason_code, d.note as standing_note,
    d.who as decided_by, d.at as decided_at, d.member_id as decided_member_id,
    d.disposition as decided_disposition, d.billed_units as decided_billed_units,
    d.allowed_units as decided_allowed_units
from states s join events e on e.event_id = s.event_id left join events d on d.event_id = e.decision_id
where s.event_id > ? order by e.event_id"""

# The decisions that stand, in the columns of `decisions.parquet`.
STANDING = """
select d.run_id, d.claim_id, d.claim_line_number, d.member_id, d.decision, d.reason_code, d.note,
    d.who as decided_by, d.at as decided_at, d.disposition, d.billed_units, d.allowed_units, d.edit_ids,
    d.primary_edit_id
from states s join events e on e.event_id = s.event_id join events d on d.event_id = e.decision_id"""

STATE_OF = """
select e.*, d.decision as standing, d.reason_code as standing_reason_code, d.note as standing_note,
    d.who as decided_by, d.at as decided_at
from states s join events e on e.event_id = s.event_id left join events d on d.event_id = e.decision_id
where s.run_id = ? and s.claim_id = ? and s.claim_line_number = ?"""

HISTORY_OF = """
select e.*, u.what as undone_what, u.decision as undone_decision, u.assignee as undone_assignee
from events e left join events u on u.event_id = e.undoes_id
where e.run_id = ? and e.claim_id = ? and e.claim_line_number = ? order by e.version desc"""

LATEST = """
select e.*, u.what as undone_what, u.decision as undone_decision, u.assignee as undone_assignee
from events e left join events u on u.event_id = e.undoes_id
order by e.event_id desc limit ? offset ?"""

# What of a batch was not taken back.
LEFT_OF = """
select * from events e where e.batch = ? and e.what <> 'undone' and not exists (
    select 1 from events u where u.run_id = e.run_id and u.claim_id = e.claim_id
    and u.claim_line_number = e.claim_line_number and u.undoes_id = e.event_id)"""

# The last thing, before a batch, that somebody did and that some line stands on.
LAST_OF = """
select max(a.batch) from states s join events e on e.event_id = s.event_id
join events a on a.event_id = e.after_id where a.who = ? and a.batch < ?"""
