from __future__ import annotations

from collections.abc import Iterator

from tensorlint import screen
from tensorlint.findings import Certainty
from tensorlint.flow.domain.facts import Truth
from tensorlint.flow.object_events import GeneratorForked
from tensorlint.knowledge import names
from tensorlint.rules.base import Draft, Note, Rule
from tensorlint.rules.wording import history, spell


class ForkedGenerator(Rule):
    """A dataset keeps one NumPy generator: the workers of a `DataLoader` draw equal numbers from copies of it.

    ## What it does
    Follows `self.rng = np.random.default_rng(seed)` (or `RandomState`) from `__init__` of a dataset, or of a transform
    that it keeps, to where `__getitem__` draws from it, and reports it where a `DataLoader` with workers is made of the
    dataset. Where the class is in another file, the loader is reported.

    ## Why is this bad
    Each worker gets a copy of the dataset, and the generator in each copy is in the same state: items of different
    workers get equal crops, noise or negatives. The generator of the main process is never drawn from, so every epoch
    starts with the same numbers again. Since 1.9 torch seeds the global `np.random` in each worker, and only that one.

    ## Example
    ```python
    import numpy as np
    import torch
    from torch.utils.data import DataLoader, Dataset

    class Noisy(Dataset):
        def __init__(self, rows):
            self.rows = rows
            self.rng = np.random.default_rng(0)

        def __len__(self):
            return len(self.rows)

        def __getitem__(self, index):
            return self.rows[index] + self.rng.normal()

    loader = DataLoader(Noisy(torch.zeros(8)), num_workers=2)
    ```

    ## Use instead
    ```python
    import numpy as np
    import torch
    from torch.utils.data import DataLoader, Dataset

    class Noisy(Dataset):
        def __init__(self, rows):
            self.rows = rows

        def __len__(self):
            return len(self.rows)

        def __getitem__(self, index):
            rng = np.random.default_rng(torch.randint(2**31, ()).item())
            return self.rows[index] + rng.normal()

    loader = DataLoader(Noisy(torch.zeros(8)), num_workers=2)
    ```

    ## Limits
    `__getitem__` that names `get_worker_info`, a generator that another method than `__init__` makes or seeds, and a
    `worker_init_fn` that reaches the dataset are taken for right.

    ## References
    - torch documentation, "Randomness in multi-process data loading"; pytorch/pytorch#5059, pytorch/pytorch#56488
    """

    code = "TBX217"
    name = "forked-generator"
    clues = (screen.WORKERS,)
    shown = Certainty.CERTAIN

    def on_generator_forked(self, event: GeneratorForked) -> Iterator[Draft]:
        scene = event.scene
        here = event.node is not event.loader
        notes = [Note(event.draw, f"each item is drawn from `{event.name}` here")]
        if here:
            notes.append(Note(scene.at(event.loader), "its workers are copies of the dataset"))
        else:
            notes.insert(0, Note(event.made, "the generator is made once, for all items"))
        yield Draft(
            event.node,
            f"the workers of `{spell(event.loader)}` draw equal numbers: each has a copy of `{event.name}`",
            _certainty(event),
            "make one per item, of torch's own seed: `np.random.default_rng(torch.randint(2**31, ()).item())`; or give"
            " the dataset of each worker a new one in `worker_init_fn`",
            (*notes, *(history(event.workers) if event.workers.truth is Truth.MAYBE else ())),
        )


def _certainty(event: GeneratorForked) -> Certainty:
    if event.workers.truth is Truth.UNKNOWN:
        return Certainty.POSSIBLE
    # What is only evaluated may be meant to see the same numbers each time.
    evaluated = names.EVALUATED.search(spell(event.dataset.node))
    sure = event.workers.truth is Truth.YES and event.always and not evaluated
    return Certainty.CERTAIN if sure else Certainty.LIKELY
