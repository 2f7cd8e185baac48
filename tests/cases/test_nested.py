"""Two platforms of one installation: down with the city's number and date, up as the unit's reply, each once."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from huying.base.clock import LEGAL_ZONE
from huying.cases.commands import Done, perform
from huying.cases.commands.nested import BadBinding, bind, hand_down
from huying.cases.models import Case, CaseSubject, IdentityAccess, Notice, Reply, UpstreamMessage
from huying.cases.policies import regulation
from huying.cases.queries.explain import lines_for
from huying.cases.queries.record import case_record
from huying.channels.upstream.send import send_due
from huying.people.actors import Actor
from huying.people.units import find_unit, open_platform

pytestmark = pytest.mark.django_db
DISTRICT, UNIT = "永川区/center", "城市管理局"


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=LEGAL_ZONE)


def opened(slug: str, name: str, *beginnings: str) -> Any:
    policy = regulation(name)
    kept = [unit for unit in policy.tree.units if not beginnings or unit.path.startswith(beginnings)]
    return open_platform(slug, policy.info.platform_name, name, policy.tree.model_copy(update={"units": tuple(kept)}))


@pytest.fixture
def upper(platform: Any) -> Any:
    return opened("upper", "chongqing-2021", "center", "市", "永川区")


@pytest.fixture
def lower(upper: Any, settings: Any) -> Any:
    settings.HUYING_UPSTREAMS = {"lower/city_platform": f"platform:upper/{DISTRICT}"}
    return opened("lower", "chongqing-district")


def act(on: Any, action: str, who: str, case: Any, moment: str, **data: Any) -> Any:
    role, _, path = who.partition("@")
    person = Actor(id=who, role=role, platform=on, unit=find_unit(on, path) if path else None)
    done = perform(action, actor=person, now=at(moment), case=case, data=data)
    assert isinstance(done, Done), done
    return done.case


def dispatched(upper: Any, **data: Any) -> Case:
    """A matter of the city, submitted on 2 March and handed to the district that day."""
    given = {
        "channel": "portal", "kind": "complaint", "title": "夜市扰民", "content": "路口夜市占道。",
        "place": "永川区/中山路街道", "requester": {"name": "施小满", "phone": "13900000106"},
    }  # fmt: skip
    case = act(upper, "case.submit", "operator@center", None, "2026-03-02 09:00", **given | data)
    act(upper, "case.dispatch", "dispatcher@center", case, "2026-03-02 10:00", lead=DISTRICT)
    return case


def run(moment: str) -> int:
    return send_due(lambda: at(moment))


def handled(lower: Any, case: Case) -> Case:
    """The district's case, closed on 4 March."""
    below = Case.objects.get(platform=lower, external_no=case.number)
    act(lower, "case.dispatch", "dispatcher@center", below, "2026-03-02 11:00", lead=UNIT)
    act(
        lower, "case.contact", f"handler@{UNIT}", below, "2026-03-03 08:50", method="phone", result="reached", note="问"
    )
    act(lower, "case.verify", f"handler@{UNIT}", below, "2026-03-03 09:00", finding="true", note="属实")
    act(lower, "case.reply", f"handler@{UNIT}", below, "2026-03-03 09:30", content="夜市已经迁走。", outcome="solved")
    act(lower, "reply.approve", f"leader@{UNIT}", below, "2026-03-03 10:00")
    act(lower, "case.close", f"unit_admin@{UNIT}", below, "2026-03-04 11:00", outcome="solved")
    return below


def test_what_the_city_dispatches_is_submitted_below_once_with_its_number_and_date(upper: Any, lower: Any) -> None:
    case = dispatched(upper)
    run("2026-03-02 10:01")
    run("2026-03-02 10:02")
    below = Case.objects.get(platform=lower)
    assert (below.external_no, below.channel, below.kind) == (case.number, "internet_supervision", "complaint")
    # The city's own: fifteen working days from 2 March are the 23rd. The district's: seven from its dispatch.
    assert below.source_due_on == date(2026, 3, 23)
    act(lower, "case.dispatch", "dispatcher@center", below, "2026-03-02 11:00", lead=UNIT)
    shown = case_record(Case.objects.get(pk=below.pk), None, now=at("2026-03-02 12:00"))
    assert (shown["due"]["handle"], shown["due"]["source"]) == ("2026-03-11", "2026-03-23")
    assert shown["requester"] == {"name": "施小满", "phone": "13900000106"}
    assert [entry.action for entry in case.journal.order_by("seq")][-1] == "case.handed_down"
    told = "\n".join(lines_for(below.number))
    assert "2026-03-11" in told and "上级平台或来源渠道的期限：2026-03-23" in told


def test_the_districts_answer_is_the_units_reply_on_the_citys_platform_once(upper: Any, lower: Any) -> None:
    case = dispatched(upper)
    run("2026-03-02 10:01")
    below = handled(lower, case)
    assert run("2026-03-04 11:01") == 1
    run("2026-03-05 11:01")
    reply = Reply.objects.get(case=case)
    assert (reply.content, reply.outcome, reply.unit.path, reply.by) == (
        "夜市已经迁走。", "solved", DISTRICT, "platform:lower",
    )  # fmt: skip
    case.refresh_from_db()
    assert case.state == "feedback"
    assert case.contacts.get().note == "问"
    message = UpstreamMessage.objects.get()
    assert (message.case_id, message.sent_at, message.error) == (below.pk, at("2026-03-04 11:01"), "")


def test_an_end_without_an_answer_is_told_as_progress(upper: Any, lower: Any) -> None:
    case = dispatched(upper)
    run("2026-03-02 10:01")
    below = Case.objects.get(platform=lower)
    refusal = {"ground": "by_law", "basis": "《仲裁法》", "note": "请申请仲裁。"}
    act(lower, "case.refuse", "dispatcher@center", below, "2026-03-02 11:00", **refusal)
    run("2026-03-02 11:01")
    notice = Notice.objects.get(case=case, template="progress")
    assert below.number in notice.data["content"] and "不予受理。请申请仲裁。" in notice.data["content"]
    assert not Reply.objects.filter(case=case).exists()
    assert UpstreamMessage.objects.get().sent_at == at("2026-03-02 11:01")


def test_what_the_city_no_longer_has_there_is_kept_with_the_reason(upper: Any, lower: Any) -> None:
    case = dispatched(upper)
    run("2026-03-02 10:01")
    handled(lower, case)
    Case.objects.filter(pk=case.pk).update(state="withdrawn")
    run("2026-03-04 11:01")
    message = UpstreamMessage.objects.get()
    assert message.sent_at is None and message.error.startswith("上级平台没有接收：")
    assert message.next_at == at("2026-03-04 11:01") + timedelta(hours=12)


def test_a_complaint_about_a_unit_that_the_district_calls_otherwise_is_left_to_a_person(upper: Any, lower: Any) -> None:
    case = dispatched(upper)
    town = find_unit(upper, "永川区/中山路街道")
    CaseSubject.objects.create(case=case, unit=town, unit_left=town.left, unit_right=town.right)
    binding = bind(lower, "city_platform", f"upper/{DISTRICT}")
    readings = IdentityAccess.objects.count()
    done = hand_down(binding, now=at("2026-03-02 10:01"))
    assert (done.done, list(done.left)) == (0, [case.number])
    assert not Case.objects.filter(platform=lower).exists() and IdentityAccess.objects.count() == readings


def test_a_protected_case_stays_protected_below(upper: Any, lower: Any) -> None:
    dispatched(upper, confidential=True)
    run("2026-03-02 10:01")
    assert Case.objects.get(platform=lower).confidential


@pytest.mark.parametrize("target", ["nowhere/center", "upper/没有这个单位", "lower/center"])
def test_a_binding_that_does_not_fit_says_what_to_do(upper: Any, lower: Any, target: str) -> None:
    with pytest.raises(BadBinding, match="→"):
        bind(lower, "city_platform", target)
