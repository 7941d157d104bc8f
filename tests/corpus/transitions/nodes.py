"""State machines made with transitions, which adds methods to models by computed names."""

import asyncio
import pickle

from transitions import Machine, MachineError, State
from transitions.extensions import HierarchicalMachine, MachineFactory
from transitions.extensions.asyncio import AsyncMachine
from transitions.extensions.states import Tags, add_state_features

TRANSITIONS = [
    {"trigger": "melt", "source": "solid", "dest": "liquid", "after": "note"},
    {"trigger": "heat", "source": "liquid", "dest": "gas", "conditions": "is_hot", "unless": ["is_frozen"]},
    {"trigger": "heat", "source": "liquid", "dest": "=", "before": "warm"},
    ["reset", "*", "solid"],
]


@add_state_features(Tags)
class TaggedMachine(Machine):
    pass


class Matter:
    def __init__(self):
        self.log = []
        self.is_hot = False
        self.is_frozen = False

    def warm(self):
        self.is_hot = True
        self.log.append("warmed")

    def note(self):
        self.log.append(f"is {self.state}")

    def on_enter_gas(self):
        self.log.append("hiss")

    def on_exit_solid(self):
        self.log.append("drip")


class Door:
    """A model whose callbacks are coroutines."""

    async def ring(self):
        await asyncio.sleep(0)
        self.rang = True

    async def on_enter_open(self):
        await self.to_closed()

    async def walk(self):
        knock = {"trigger": "knock", "source": "closed", "dest": "open", "before": "ring"}
        AsyncMachine(self, ["closed", "open"], transitions=[knock], initial="closed")
        return [await self.knock(), self.state, self.rang, await self.may_knock()]


class States:
    def process(self, data):
        matter = Matter()
        states = [State("solid", on_enter="note"), {"name": "liquid", "tags": ["wet"]}, "gas"]
        machine = TaggedMachine(matter, states, transitions=TRANSITIONS, initial="solid", auto_transitions=True)
        machine.add_ordered_transitions(trigger="advance")
        steps = []
        for event in data:
            try:
                steps.append([event, matter.trigger(event), matter.state])
            except (MachineError, AttributeError) as error:
                steps.append([event, type(error).__name__, str(error)])
        lamp = HierarchicalMachine(
            states=["off", {"name": "on", "initial": "dim", "children": ["dim", "bright"], "transitions": [["up", "dim", "bright"]]}],
            transitions=[["press", "off", "on"], ["press", "on", "off"]], initial="off", queued=True,
        )
        lamps = [lamp.state]
        for event in ("press", "up", "press"):
            getattr(lamp, event)()
            lamps.append(lamp.state)
        locked = MachineFactory.get_predefined(graph=False, nested=True, locked=True)
        plain = Matter()
        Machine(plain, ["on", "off"], initial="on")
        plain.to_off()
        again = pickle.loads(pickle.dumps(plain))
        return {
            "steps": steps,
            "log": matter.log,
            "wet": machine.get_state("liquid").is_wet,
            "may": [name for name in ("melt", "heat") if getattr(matter, f"may_{name}")()],
            "is_gas": matter.is_gas(),
            "triggers": machine.get_triggers(matter.state)[:4],
            "lamps": lamps,
            "door": asyncio.run(Door().walk()),
            "again": [again.state, again.to_on(), again.is_on()],
            "locked": locked.__name__,
        }
