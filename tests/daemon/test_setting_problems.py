"""What is wrong with a setting is told in words of the configuration, not in those of Python's types."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from daemon.setting_problems import explained
from daemon.setting_types import PositiveDuration
from daemon.settings import Settings


class Size(StrEnum):
    SMALL = "small"
    LARGE = "large"


class Pot(BaseModel):
    model_config = ConfigDict(extra="forbid")
    litres: float = 1


class Tea(BaseModel):
    model_config = ConfigDict(extra="forbid")
    leaf: str = Field(min_length=2, max_length=5, pattern="^[a-z]*$")
    cups: int = Field(default=1, gt=0, lt=10)
    price: Decimal = Decimal(1)
    hot: bool = True
    size: Size = Size.SMALL
    milk: Literal["yes", "no"] = "no"
    steep: PositiveDuration = timedelta(minutes=3)
    rest: timedelta = Field(default=timedelta(0), le=timedelta(hours=1))
    with_: tuple[str, ...] = Field(default=(), alias="with")
    pot: Pot = Pot()
    pots: dict[str, Pot] = {}

    @model_validator(mode="after")
    def _no_thirteen(self) -> Tea:
        if self.cups == 7:
            raise ValueError("Seven cups are too many for one pot")
        return self


def told(given: dict[str, Any]) -> list[str]:
    with pytest.raises(ValidationError) as caught:
        Tea.model_validate({"leaf": "assam"[:4]} | given)
    return explained(caught.value.errors(), Tea, {"suite.tea.cups": "environment"}, under=["suite", "tea"])


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"cups": 0}, "environment: suite.tea.cups = 0: must be above 0"),
        ({"cups": 10}, "environment: suite.tea.cups = 10: must be below 10"),
        ({"cups": "many"}, "environment: suite.tea.cups = 'many': write a whole number"),
        ({"cups": 1.5}, "environment: suite.tea.cups = 1.5: write a whole number"),
        ({"price": "dear"}, "configuration: suite.tea.price = 'dear': write a number"),
        ({"hot": "warm"}, "configuration: suite.tea.hot = 'warm': write true or false"),
        ({"size": "huge"}, "configuration: suite.tea.size = 'huge': choose 'small' or 'large'"),
        ({"milk": "some"}, "configuration: suite.tea.milk = 'some': choose 'yes' or 'no'"),
        ({"steep": -1}, "configuration: suite.tea.steep = -1: must be above 0 s"),
        ({"steep": timedelta(-1)}, "configuration: suite.tea.steep = -86400 s: must be above 0 s"),
        ({"rest": 7200}, "configuration: suite.tea.rest = 7200 s: must be at most 1 hour"),
        ({"with": "milk"}, 'configuration: suite.tea.with = \'milk\': write a list, such as ["a", "b"]'),
        ({"with": ["a", 3]}, "configuration: suite.tea.with.1 = 3: write text"),
        ({"leaf": "x"}, "configuration: suite.tea.leaf = 'x': write at least 2 characters"),
        ({"leaf": "darjeeling"}, "configuration: suite.tea.leaf = 'darjeeling': write at most 5 characters"),
        (
            {"leaf": "ABC"},
            "configuration: suite.tea.leaf = 'ABC': it cannot have this form; config.toml says which it has",
        ),
        (
            {"pot": 3},
            "configuration: suite.tea.pot = 3: this is a section: write its keys under [suite.tea.pot]",
        ),
        ({"pot": {"litre": 2}}, "configuration: unknown key 'suite.tea.pot.litre'; did you mean 'litres'?"),
        ({"pots": {"a": {"litre": 2}}}, "configuration: unknown key 'suite.tea.pots.a.litre'; did you mean 'litres'?"),
        ({"cups": 7}, "environment: suite.tea: seven cups are too many for one pot"),
    ],
)
def test_each_mistake_has_its_sentence(given: dict[str, Any], said: str) -> None:
    assert told(given) == [said]


def test_what_is_missing_is_named() -> None:
    with pytest.raises(ValidationError) as caught:
        Tea.model_validate({})
    assert explained(caught.value.errors(), Tea, {}) == ["configuration: leaf is missing"]


@pytest.mark.parametrize(
    ("jobs", "said"),
    [
        (
            {"tea.brew": {"timeout": "5m", "retries": 1}},
            'a.toml: [jobs."tea.brew"]: write one section, and only one, of settings: [jobs.tea.brew]',
        ),
        (
            {"brew-tea": {"timeout": "5m", "retries": 1}},
            "a.toml: [jobs.brew-tea] does not name a suite and a job: write it as [jobs.SUITE.JOB]",
        ),
        ({"timeout": "5m"}, "a.toml: [jobs.timeout] does not name a suite and a job: write it as [jobs.SUITE.JOB]"),
    ],
)
def test_a_job_that_is_not_named_by_suite_and_job_is_told_the_right_form_once(jobs: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Settings.model_validate({"jobs": jobs})
    assert explained(caught.value.errors(), Settings, {}, otherwise="a.toml") == [said]


WILD = [None, True, -1, 0, 1e300, float("nan"), "", "x", "://", [], [3], {}, {"x": 1}]


@pytest.mark.parametrize("wild", WILD, ids=repr)
def test_no_setting_of_the_engine_is_told_in_words_of_python(wild: Any) -> None:
    sections = {name: field.annotation for name, field in Settings.model_fields.items()}
    asked = [{name: wild} for name in sections]
    for name, section in sections.items():
        if isinstance(section, type) and issubclass(section, BaseModel):
            asked += [{name: {key: wild}} for key in section.model_fields]
    for given in asked:
        try:
            Settings.model_validate(given)
        except ValidationError as error:
            for said in explained(error.errors(), Settings, {}):
                assert (
                    re.search(r"input should|datetime|timedelta|tuple|dictionary|instance|pattern '", said) is None
                ), said


class Shop(BaseModel):
    webhook_secrets: tuple[int, ...] = ()
    keys: dict[str, int] = {}


def test_no_part_of_a_list_of_secrets_or_of_a_section_of_keys_is_repeated() -> None:
    with pytest.raises(ValidationError) as caught:
        Shop.model_validate({"webhook_secrets": ["s3cret"], "keys": {"openai": "s3cret"}})
    said = explained(caught.value.errors(), Shop, {}, under=["suite", "shop"])
    assert len(said) == 2
    assert "s3cret" not in "".join(said)
