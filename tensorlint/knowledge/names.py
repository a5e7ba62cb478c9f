"""What names say of what they stand for, where nothing better is known: one table.

A name is evidence as far as people keep to it. ``worth`` is the share of bindings for which what the name says was so,
among those of known kind, as ``tools/measure_names.py`` counts it over a folder. It is empty where nobody counted, which
is everywhere so far, or where what it says cannot be seen at a binding. Nothing is ``certain`` by its name.
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Naming:
    """Names of one kind, and what is said by them."""

    pattern: re.Pattern[str]
    says: str
    worth: str = ""

    def search(self, name: str) -> bool:
        """Whether the pattern occurs in ``name``."""
        return self.pattern.search(name) is not None

    def match(self, name: str) -> bool:
        """Whether ``name`` begins with it."""
        return self.pattern.match(name) is not None

    def fullmatch(self, name: str) -> bool:
        return self.pattern.fullmatch(name) is not None


def _named(pattern: str, says: str, worth: str = "", *, any_case: bool = True) -> Naming:
    return Naming(re.compile(pattern, re.IGNORECASE if any_case else 0), says, worth)


# Values.

MODEL = _named(
    r"(^|_)(act|cri|dqn|q_?net)$|(model|net|network|encoder|decoder|actor|critic|policy|generator|discriminator|backbone"
    r"|classifier|unet|vae|criterion|loss_fn|loss_func|embedder|netG|netD|estimator)(_?\d*)$",
    "computes with parameters, or with the outputs of what does",
)
MODULE = _named(
    r"(model|net|network|module|actor|critic|policy|encoder|decoder)\w*$",
    "is a module, which `.to(...)` moves in place",
)
CAST = _named(
    r"(?:\bself|model|net|module|encoder|decoder|policy|actor|critic)\Z",
    "is a module, where it is cast to another float anywhere in the text of a file",
)
#: As many characters of a name are enough to tell.
LONGEST_CAST = len("encoder")
OPTIMIZER = _named(
    r"(^|_)(opt|optim|optimizer|optimiser|solver|trainer)\w*$|_opt(im)?$", "is an optimizer: `.step()` updates in place"
)
LOADER = _named(
    r"(^|_)(data_?)?(loader|dataloader)s?$|loader$|_dl$|(train|val|valid|test)_(iter|gen)$",
    "yields batches that were collated in host memory",
)
ROUNDS = _named(
    r"(loader|dataset|(^|_)(data|dl|samples|batch(es)?|images|videos|frames)|(^|_)n?(iter(s|ations?)?|steps?|epochs?"
    r"|episodes?|updates?))(_?\d+|_per_\w+)?$",
    "is gone through, or counted up to, many times by a loop",
)
DEVICE = _named(r"dev|gpu|cuda|cpu|rank|accelerator|(^|[._])place", "is a device, where it is handed to `.to(...)`")
SETTINGS = _named(
    r"(^|[._])(args?|opts?|options?|cfg|conf|config|hps?|hparams?|params|settings|flags?|namespace|self|cls|trainer"
    r"|accelerator|runner|agent|context|ctx|state)$",
    "holds the device that a program was told to use",
)
SIZE = _named(
    r"(^|[._])(n|k|num|size|shape|dims?|ndim|channels?|features?|planes|hidden|units|length|len|count|width|height|heads"
    r"|classes|embed|embedding_dim)(_\w+)?$|(_size|_dim|_channels|_features|_planes|_units|_len|_num)$",
    "is a size: a legacy constructor allocates that much",
)
IDENTIFIER = _named(
    r"(^|[._])(ids?|idx|index|indexes|indices|tokens?|timestamps?|stamps?)(\[.*\])?$|_(id|idx)s?(\[.*\])?$",
    "is an integer that counts nothing, so that another one in its place is wrong",
)
PLACE = _named(
    r"(idx|index|indexes|indices|tokens?)(\[.*\])?$",
    "says which row of something is meant, and stays far below 2**24",
)
KEPT = _named(
    r"best|initial|init_|_init$|backup|old|previous|prev_|original|snapshot|saved|restore",
    "is kept to be compared with, or returned to, later",
)
ACCELERATOR = _named(
    r"(^|[._])(accelerator|fabric)$",
    "puts models and loaders on the device that it chose: `.prepare(...)`, `.setup(...)`",
)
QUEUE = _named(
    r"queue|(^|[._])q(_\w+)?$|_q$", "is a queue, from which another thread or process takes what is put there"
)
WRITE_THROUGH = _named(
    r"view|shared|buf|alias|_numpy$|_np$|mem|out$|out_|dst|dest", "is written to reach the memory behind it"
)

EVALUATED = _named(
    r"(^|[^a-z])(val|valid|validation|test|eval|dev|holdout)([^a-z]|set|$)", "is data that nothing is trained on"
)

# Flags and tests.

ACCELERATED = _named(
    r"(^|[._])(use_?)?(cuda|gpu|gpus)(_?(mode|flag|enabled|available))?$", "is true where there is an accelerator"
)
SWITCHES_OFF = _named(r"^(no|not|disable|without)_|(^|_)cpu(_only)?$", "is off by default, and switches something off")
ASKS_FOR_DEVICE = _named(r"device|cuda|gpu|cpu", "asks where something lies")
FRAMEWORK = _named(r"framework|backend|return_tensors|tensor_type", "says which framework the values are of")
OTHER_FRAMEWORK = _named(
    r"(^|_)(tf|tensorflow|keras|jax|flax|paddle|mlx|mxnet|mindspore)($|_)", "is true of another framework's values"
)

# Functions and methods.

READER = _named(
    r"^_?(load|read|imread|decode)(_(?!.*(model|net|weight|state|check))|[A-Z]|$)|^(Load|Read)[A-Z]",
    "reads a file, most of them into host memory",
    any_case=False,
)
TRAINER = _named(r"(^|_)(train|fit|finetune|fine_tune|learn)($|_)|^optimi[sz]e$", "trains the model that it is given")
WITHOUT_GRAPH = _named(
    r"generate|predict|action|encode|decode|sample|infer|transcribe|tokenize|load|save|to_|config",
    "works under `no_grad` by custom, or returns no tensors, as a method of a model",
)
COLLATE = _named(r"collate|(^|_)transform$", "works on host memory", any_case=False)
TRAINS = _named(
    r"train|fit|learn|update|optimi[sz]e|backward|loss|^forward$", "is called with gradients on", any_case=False
)
EVALUATES = _named(r"predict|infer|test|eval|valid|post_?process", "may be called under `no_grad` by a base class")
CALLBACK = _named(
    r"on_.*(epoch|batch|step|train|validation)", "is called between the steps of a training", any_case=False
)
LIGHTNING_EVALUATES = _named(
    r"(validation|test|predict)_(step|step_end|epoch_end)|on_(validation|test|predict)_((epoch|batch)_)?(start|end)",
    "is called under `no_grad` by Lightning",
    any_case=False,
)
