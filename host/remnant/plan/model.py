"""The plan as a person writes it, as a frozen model: every word of the language is a field here or in `steps`, with its range beside it.

`README.md` beside this file shows each word with an example; `plan.schema.json` is generated from these models.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, PrivateAttr, ValidationInfo, WithJsonSchema

from .named import ProtocolName, SampleModel
from .quantity import Duration, Portion, Range, Ratio, known, problem
from .steps import Step
from .sweep import SWEEP_SCHEMA
from .words import CELLS, CellLetter, Name, Text, Words, cell_there, count, pump_number


class Cell(Words):
    """What one cell holds."""

    sample: Text = Field(description="What is in the cell.", examples=["PS-capped CsPbBr3"])
    solvent: Text | None = Field(
        None, description="What the sample is dissolved in; a dry run warns before it boils.", examples=["toluene"]
    )
    model: SampleModel | None = Field(
        None, description="Which sample of the physics model a virtual rig puts into the cell; real rigs ignore it."
    )


CellWords = Annotated[
    Cell, BeforeValidator(lambda value: {"sample": value} if isinstance(value, str) else value, json_schema_input_type=str | Cell)
]


def _cell_on_board(cells: dict[str, Cell], info: ValidationInfo) -> dict[str, Cell]:
    count = known(info).limits.get("cells")
    beyond = [letter for letter in cells if count is not None and CELLS.index(letter) >= count]
    if beyond:
        raise problem(f"cell {beyond[0]} is beyond the board's {count} cells.", f"Use {', '.join(CELLS[:count])}.")
    return cells


class Input(Words):
    """A value that a run may change: `remnant run plan.yaml --set name=value`."""

    default: str | int | float | bool = Field(description="The value without --set.", examples=["80 degC"])
    min: str | int | float | None = Field(None, description="The lowest value that --set may give.", examples=["40 degC"])
    max: str | int | float | None = Field(None, description="The highest value that --set may give.", examples=["100 degC"])


class Pump(Words):
    """A name for one of the board's pumps."""

    pump: Annotated[int, AfterValidator(pump_number), BeforeValidator(count)] = Field(
        description="The pump's number on the board, from 1.", examples=[1]
    )
    liquid: Text | None = Field(None, description="What it pumps.", examples=["toluene"])
    dead_volume: Portion | None = Field(
        None, alias="dead volume", description="What the tubing takes before liquid comes out; `prime` fills it.", examples=["0.2 mL"]
    )
    holds: Portion | None = Field(None, description="What the syringe is filled with at the start.", examples=["60 mL"])


def _percent(value: Any) -> float:
    percent = float(value) if isinstance(value, int | float) and not isinstance(value, bool) else Ratio.parse(value) / 10
    if not 0 <= percent <= 1000:
        raise problem(f"{percent:g} % is outside 0 to 1000 %.", "Write it in percent of the start, e.g. 70 %.")
    return percent


Percent = Annotated[float, BeforeValidator(_percent, json_schema_input_type=str | float)]


class Compare(Words):
    """A published value, shown beside the measured one."""

    cell: Annotated[CellLetter, AfterValidator(cell_there)] = Field(description="The cell it is compared with.")
    at: Annotated[Duration, Range(above=0)] = Field(description="Time since the stress began.", examples=["5 h"])
    published: Text = Field(description="The value as printed.", examples=["~70 %"])
    value: Percent | None = Field(None, description="The value in percent, or null where no number is printed.", examples=["70 %"])
    scatter: Percent | None = Field(None, description="How far (+-, percentage points) the printed value may be read.")
    source: Text = Field(description="Where it is printed.", examples=["liang2023 fig. 5c"])


class OnFault(Words):
    """What becomes of the other outputs when a pump has failed; `off` ends the run. Any other fault switches everything off."""

    heater: Literal["off", "keep"] = "keep"
    lamp: Literal["off", "keep"] = "keep"
    pumps: Literal["stop", "keep"] = "stop"


class HostLost(Words):
    """What the board does when the host is gone for longer than `after`."""

    then: Literal["continue", "hold", "stop"] = Field(
        "continue", description="continue: go on; hold: light off, heat held, until `remnant resume`; stop: end the run."
    )
    after: Annotated[Duration, Range(at_least=1000, at_most=65_535_000)] = Field(
        "60 s", validate_default=True, description="How long the host may be away."
    )  # type: ignore[assignment]


class Record(Words):
    period: Annotated[Duration, Range(at_least="telemetry_min_ms", at_most=3_600_000)] = Field(
        description="From one telemetry record to the next.", examples=["1 s"]
    )


class Plan(Words):
    """A Remnant plan."""

    version: Annotated[
        Literal["1"],
        BeforeValidator(lambda value: "1" if value == 1 and value is not True else value, json_schema_input_type=Literal["1", 1]),
    ] = Field(description="The version of the plan language.")
    title: Text = Field(description="What this run is.", examples=["Thermal stability at 80 degC"])
    source: Text | None = Field(None, description="Where the test comes from.", examples=["liang2023 fig. 5c"])
    protocol: ProtocolName | None = Field(None, description="The protocol that the report holds the run to.", examples=["ISOS-L-1"])
    inputs: dict[Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,31}$")], Input] = Field(
        default_factory=dict, description="Values that a run may change.", examples=[{"temperature": {"default": "80 degC"}}]
    )
    cells: Annotated[dict[CellLetter, CellWords], AfterValidator(_cell_on_board)] = Field(
        default_factory=dict, description="What the cells hold.", examples=[{"A": "PS-capped CsPbBr3", "B": "OA/OAm control"}]
    )
    pumps: dict[Name, Pump] = Field(
        default_factory=dict, description="Names for the board's pumps.", examples=[{"antisolvent": {"pump": 1}}]
    )
    sweep: Annotated[dict[str, Any], WithJsonSchema(SWEEP_SCHEMA)] | None = Field(
        None,
        description="Values of one input, or rows of a table over several: every point is a run of one campaign.",
        examples=[{"antisolvent_flow": ["1000 mL/h", "2000 mL/h"]}],
    )
    steps: tuple[Step, ...] = Field(  # pyright: ignore[reportInvalidTypeForm] - built in `steps`
        min_length=1, description="What happens, in order.", examples=[[{"probe": {"name": "baseline", "at": "25 degC"}}]]
    )
    on_fault: OnFault = Field(
        default_factory=OnFault,
        alias="on fault",
        description="What becomes of the other outputs when a pump has failed; any other fault switches everything off.",
        examples=[{"heater": "off", "lamp": "off", "pumps": "stop"}],
    )
    host_lost: Annotated[
        HostLost,
        BeforeValidator(
            lambda value: {"then": value} if isinstance(value, str) else value,
            json_schema_input_type=Literal["continue", "hold", "stop"] | HostLost,
        ),
    ] = Field(default_factory=lambda: HostLost.model_validate({}), alias="host lost", description="What happens when the host is gone.")
    resume_within: Annotated[Duration, Range(at_least=1000, at_most=604_800_000)] | None = Field(
        None,
        alias="resume within",
        description="How long after a reset or a power cut the run may still be taken up again (`remnant resume`); without it never.",
        examples=["30 min"],
    )
    record: Record | None = Field(
        None, description="How often telemetry is recorded; without it 1 s in runs up to 6 h, 10 s in longer ones."
    )
    compare: tuple[Compare, ...] = Field((), description="Published values to show beside the measured ones.")

    _document: Any = PrivateAttr(None)
    _inputs: dict[str, Any] = PrivateAttr(default_factory=dict)

    def pump_number(self, reference: int | str) -> int:
        """Return the board's number, from 1, of a pump by its name or number."""
        return self.pumps[reference].pump if reference in self.pumps else int(reference)  # pyright: ignore[reportArgumentType]

    @property
    def file(self) -> str:
        """The name of the file the plan was read from."""
        return self._document.file if self._document else "<plan>"

    @property
    def text(self) -> str:
        """The plan as it was written."""
        return self._document.text if self._document else ""

    @property
    def inputs_used(self) -> dict[str, Any]:
        """The value of each input in this run, as written."""
        return dict(self._inputs)
