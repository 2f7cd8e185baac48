"""Surveys by a third party: which cases are on a list, how little leaves with it, and what the results lead to."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from io import BytesIO
from typing import Any

import pytest
from python_calamine import CalamineWorkbook

from huying.base.clock import LEGAL_ZONE
from huying.cases import policies
from huying.cases.commands import Done, perform
from huying.cases.commands.surveys import hand_out
from huying.cases.models import Callback, Case, CaseSubject, Evaluation, IdentityAccess, JournalEntry, SurveyBatch
from huying.cases.policies import regulation
from huying.cases.queries import surveys
from huying.core.surveys import MATTER, NUMBER, PHONE, UNIT, list_book
from huying.core.verdict import Refused
from huying.people.actors import Actor
from huying.people.models import Platform
from huying.people.units import find_unit, forget_units, open_platform

pytestmark = pytest.mark.django_db
LAMPS, NAME, CONTENT = "市城管局", "陶小满", "小区外一段路灯多日不亮，夜间行走不便。"


def at(day: int, hour: int = 9, minute: int = 0) -> datetime:
    return datetime(2026, 3, day, hour, minute, tzinfo=LEGAL_ZONE)


class OneFile:
    def __init__(self, content: bytes) -> None:
        self.content = content

    def open(self, name: str) -> BytesIO:
        return BytesIO(self.content)


class City:
    """A platform whose regulation knows surveys, and what its people do."""

    def __init__(self, platform: Platform) -> None:
        self.platform, self.count = platform, 0

    def actor(self, who: str) -> Actor:
        role, _, path = who.partition("@")
        return Actor(id=who, role=role, platform=self.platform, unit=find_unit(self.platform, path))

    def do(self, action: str, who: str, case: Any, when: datetime, **data: Any) -> Any:
        outcome = perform(action, actor=self.actor(who), now=when, case=case, data=data)
        assert isinstance(outcome, Done), outcome
        return outcome

    def answered(self, *, lead: str = LAMPS, **data: Any) -> Case:
        """A complaint answered on 3 March."""
        self.count += 1
        given = {
            "channel": "hotline_12345", "kind": "complaint", "title": f"{NAME}反映路灯不亮", "content": CONTENT,
            "place": "吴兴区/月河街道", "requester": {"name": NAME, "phone": f"1395000{self.count:04d}"},
        } | data  # fmt: skip
        case = self.do("case.submit", "operator@市12345中心", None, at(2), **given).case
        self.do("case.dispatch", "dispatcher@center", case, at(2, 10), lead=lead)
        self.reply(case, at(3), lead)
        return case

    def reply(self, case: Case, when: datetime, lead: str = LAMPS) -> None:
        handler = f"handler@{lead}"
        if not case.anonymous:
            self.do("case.contact", handler, case, when, method="phone", result="reached", note="问明事由")
        self.do("case.reply", handler, case, when.replace(hour=10), content="已到场处理。", outcome="solved")

    def draw(self, who: str = "caller@center", when: datetime | None = None, **data: Any) -> Any:
        given = {"label": "三月调查", "evaluator": "某调查公司", "first": date(2026, 3, 1), "last": date(2026, 3, 31)}
        return perform("survey.draw", actor=self.actor(who), now=when or at(5), data=given | data)

    def drawn(self, **data: Any) -> SurveyBatch:
        outcome = self.draw(**data)
        assert isinstance(outcome, Done), outcome
        assert isinstance(outcome.made, SurveyBatch)
        return outcome.made

    def take_in(
        self, batch: SurveyBatch, *lines: str, head: str = "调查编号,调查结果,满意度", when: datetime | None = None,
        who: str = "caller@center",
    ) -> Any:  # fmt: skip
        content = "\n".join([head, *lines]).encode()
        data = {"survey": batch.pk, "file": "results.csv"}
        return perform(
            "survey.import", actor=self.actor(who), now=when or at(9), data=data, files=OneFile(content)
        )  # fmt: skip

    def report(self, batch: SurveyBatch, *lines: str, **more: Any) -> Any:
        outcome = self.take_in(batch, *lines, **more)
        assert isinstance(outcome, Done), outcome
        return outcome.extra["report"]


@pytest.fixture
def city(platform: Any) -> Iterator[City]:
    policy = regulation("huzhou-2016")
    yield City(open_platform("surveyed", policy.info.platform_name, policy.info.id, policy.tree))
    forget_units()


def serials(batch: SurveyBatch) -> dict[int, str]:
    """The number on the list of each case."""
    return {pk: f"S{batch.pk}-{place:04d}" for place, pk in enumerate(surveys.members(batch), 1)}


def test_a_batch_goes_out_with_little_and_comes_back_to_its_cases(city: City) -> None:
    """The whole way: drawn, handed out with nothing but what is needed, imported, attached as a third party's."""
    one, other = city.answered(), city.answered(category="路灯")
    batch = city.drawn()
    rows = hand_out(city.actor("caller@center"), batch, now=at(5, 10))
    assert not isinstance(rows, Refused)
    grid = CalamineWorkbook.from_filelike(BytesIO(list_book(rows, ["rating"], ""))).get_sheet_by_index(0).to_python()
    assert grid[0][:4] == [NUMBER, PHONE, UNIT, MATTER] and len(grid) == 3
    by_serial = {str(line[0]): line[1:4] for line in grid[1:]}
    assert by_serial[serials(batch)[one.pk]] == ["13950000001", "市城管局", "投诉"]
    for secret in (NAME, CONTENT[:6], one.number, other.number):
        assert secret not in str(grid), "neither name nor content nor the number of the case"
    logged = IdentityAccess.objects.filter(purpose="survey")
    assert sorted(logged.values_list("case_id", "actor_id", "masked")) == sorted(
        (case.pk, "caller@center", False) for case in (one, other)
    )
    assert all(row.kinds == ["phone"] for row in logged)

    report = city.report(batch, f"{serials(batch)[one.pk]},已接通,满意", f"{serials(batch)[other.pk]},不愿受访,")
    assert (report.kept, report.problems) == (2, [])
    rated = Evaluation.objects.get(case=one)
    assert (rated.source, rated.rating, rated.bad) == ("survey", 4, False)
    called = Callback.objects.get(case=one)
    assert called.batch is not None
    assert (called.method, called.batch.evaluator) == ("survey", "某调查公司")
    assert not Evaluation.objects.filter(case=other).exists()
    entries = JournalEntry.objects.filter(platform=city.platform, case=None).order_by("seq")
    assert [entry.action for entry in entries] == ["survey.draw", "survey.handed_out", "survey.import"]
    assert entries[2].data == {"survey": batch.pk, "kept": 2, "already": 0, "blank": 0, "refused": 0}


def test_who_is_dissatisfied_is_supervised_and_handled_again(city: City) -> None:
    case = city.answered()
    batch = city.drawn()
    assert city.report(batch, f"{serials(batch)[case.pk]},已接通,不满意").kept == 1
    case.refresh_from_db()
    assert (case.state, case.round, case.supervisions.get().method) == ("handling", 2, "unified")


def test_the_same_file_twice_makes_no_doubles(city: City) -> None:
    case, other = city.answered(), city.answered()
    batch = city.drawn()
    lines = (f"{serials(batch)[case.pk]},已接通,不满意", f"{serials(batch)[other.pk]},未接通,")
    assert city.report(batch, *lines).kept == 2
    again = city.report(batch, *lines, when=at(10))
    assert (again.kept, again.already, again.problems) == (0, 2, [])
    assert Callback.objects.count() == 2 and Evaluation.objects.count() == 1
    later = city.report(batch, f"{serials(batch)[other.pk]},已接通,满意", when=at(11))
    assert later.kept == 1, "who was not reached may be reached later"


def test_one_bad_line_stops_no_other_and_tells_nothing_of_what_is_not_on_the_list(city: City) -> None:
    case = city.answered()
    batch = city.drawn()
    outside = city.answered()
    good = serials(batch)[case.pk]
    other = city.drawn(label="另一份")
    report = city.report(
        batch, f"S{batch.pk}-0099,已接通,满意", f"{serials(other)[outside.pk]},已接通,满意",
        f"{outside.number},已接通,满意",
        "99999999999999999,已接通,满意", f"{good},已接通,满意",
    )  # fmt: skip
    assert report.kept == 1 and Evaluation.objects.get().case == case
    assert [line for line, _, _ in report.problems] == [2, 3, 4, 5]
    assert len({said for _, _, said in report.problems}) == 1, "the same words whether there is such a case or not"
    assert "名单里没有这个编号" in report.problems[0][2]


def test_a_line_that_the_case_refuses_says_why_and_what_to_do(city: City) -> None:
    called, reworked, both = city.answered(), city.answered(), city.answered()
    batch = city.drawn()
    names = serials(batch)
    city.do("case.call_back", "caller@center", called, at(6), method="phone", result="reached", rating=4)
    for case in (reworked, both):
        city.do("case.rework", "supervisor@center", case, at(6), ground="质量差", reason="没有修好")
    city.reply(both, at(7))
    report = city.report(batch, *(f"{names[case.pk]},已接通,满意" for case in (called, reworked, both)))
    said = {serial: text for _, serial, text in report.problems}
    assert report.kept == 0 and not Evaluation.objects.filter(source="survey").exists()
    assert "本轮办理已经完成回访" in said[names[called.pk]]
    assert "重新办理" in said[names[reworked.pk]] and "说的是上一轮" in said[names[both.pk]]


def test_who_is_on_a_list_and_who_never_is(city: City) -> None:
    fit = city.answered()
    city.answered(kind="report")
    city.answered(anonymous=True, requester=None)
    city.answered(requester={"name": NAME, "email": "tao@example.cn"})
    called = city.answered()
    city.do("case.call_back", "caller@center", called, at(4), method="phone", result="reached", rating=5)
    difficult = city.answered()
    city.do("case.flag", "dispatcher@center", difficult, at(4), flags={"difficult": True})
    waiting = city.do(
        "case.submit", "operator@市12345中心", None, at(2), channel="hotline_12345", kind="complaint", title="x",
        content="y", place="吴兴区/月河街道", requester={"name": NAME, "phone": "13950009999"},
    ).case  # fmt: skip
    assert waiting.state == "received"
    batch = city.drawn()
    assert surveys.members(batch) == [fit.pk]
    again = city.draw(label="又一份")
    assert isinstance(again, Refused) and again.code == "invalid:first", "nobody is asked twice about one handling"


def test_after_a_second_handling_the_case_may_be_asked_about_again(city: City) -> None:
    case = city.answered()
    first = city.drawn()
    city.report(first, f"{serials(first)[case.pk]},已接通,不满意")
    city.reply(case, at(12))
    second = city.drawn(label="二次办理调查", when=at(16))
    assert surveys.members(second) == [case.pk]
    assert city.report(second, f"{serials(second)[case.pk]},已接通,满意", when=at(17)).kept == 1
    assert list(Evaluation.objects.order_by("pk").values_list("round", "rating")) == [(1, 2), (2, 4)]


def test_by_unit_and_by_number_and_what_a_draw_refuses(city: City) -> None:
    lamps = {city.answered().pk for _ in range(3)}
    city.answered(lead="市住建局")
    batch = city.drawn(unit=LAMPS, size=2)
    drawn = surveys.members(batch)
    assert len(drawn) == 2 and set(drawn) <= lamps

    def code(**data: Any) -> str:
        outcome = city.draw(**data)
        assert isinstance(outcome, Refused)
        return outcome.code

    assert code() == "invalid:label"
    assert code(label="a", unit="没有的局") == "invalid:unit"
    assert code(label="a", first=date(2026, 4, 1)) == "invalid:last"
    assert code(label="a", first=date(2026, 1, 1), last=date(2026, 4, 3)) == "invalid:last"
    assert code(label="a", size=surveys.MOST + 1) == "invalid:size"
    assert code(label="", evaluator="b") == "missing:label"
    for who in ("supervisor@center", "dispatcher@center", f"handler@{LAMPS}", "auditor@center"):
        assert code(label="a", who=who) == "not_permitted"


def test_what_became_confidential_or_complains_of_the_reader_does_not_leave(city: City) -> None:
    hushed, accusing, kept = city.answered(), city.answered(), city.answered()
    batch = city.drawn()
    Case.objects.filter(pk=hushed.pk).update(confidential=True)
    centre = find_unit(city.platform, "center")
    CaseSubject.objects.create(case=accusing, unit=centre, unit_left=centre.left, unit_right=centre.right)
    rows = hand_out(city.actor("caller@center"), batch, now=at(5, 10))
    assert not isinstance(rows, Refused)
    assert [row.serial for row in rows] == [serials(batch)[kept.pk]]
    lines, _ = surveys.lines_of(city.actor("caller@center"), batch, 1)
    assert accusing.pk not in {line.case.pk for line in lines}
    [count] = surveys.counted(city.actor("supervisor@center"), [batch])
    assert (count.cases, count.answered) == (2, 0)
    report = city.report(batch, f"{serials(batch)[accusing.pk]},已接通,满意")
    assert "名单里没有这个编号" in report.problems[0][2]
    assert not IdentityAccess.objects.filter(purpose="survey", case__in=[hushed, accusing]).exists()


def test_a_list_is_handed_out_and_brought_in_by_the_centre_that_drew_it_and_by_callers_alone(city: City) -> None:
    case = city.answered()
    batch = city.drawn()
    for who in ("supervisor@center", "caller@德清县/center", f"handler@{LAMPS}"):
        outcome = hand_out(city.actor(who), batch, now=at(6))
        assert isinstance(outcome, Refused) and outcome.code == "not_permitted"
        taken = city.take_in(batch, f"{serials(batch)[case.pk]},已接通,满意", who=who)
        assert isinstance(taken, Refused) and taken.code in ("not_permitted", "invalid:survey")
    assert surveys.find_batch(city.actor("caller@德清县/center"), batch.pk) is None
    assert surveys.find_batch(city.actor("supervisor@center"), batch.pk) == batch
    assert not IdentityAccess.objects.filter(purpose="survey").exists()


def test_a_file_that_cannot_be_read_changes_nothing(city: City) -> None:
    city.answered()
    batch = city.drawn()
    outcome = city.take_in(batch, head="编号,分数")
    assert isinstance(outcome, Refused) and outcome.code == "invalid:file" and "没有“调查编号”一列" in outcome.reason
    batch.refresh_from_db()
    assert batch.imported_at is None


def test_no_survey_where_the_regulation_knows_none(actor: Any) -> None:
    assert "survey.draw" not in policies.regulation("daye-2023").action_rules
    assert not surveys.reads_surveys(actor("caller@center"))
    data = {"label": "a", "evaluator": "b", "first": date(2026, 3, 1), "last": date(2026, 3, 2)}
    outcome = perform("survey.draw", actor=actor("caller@center"), now=at(5), data=data)
    assert isinstance(outcome, Refused) and outcome.code == "not_enabled"
