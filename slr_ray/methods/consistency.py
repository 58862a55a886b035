"""Step-by-step semi-supervision: FixMatch (arXiv 2001.07685) and its successors, on poses.

In every gradient step, beside the labelled clips, a batch of unlabelled ones: a teacher labels weak
views of them, a rule says which of these labels to trust and how much, and the model learns to give
them to strong views of the same clips. Read `training.consistency.stream.UnlabelledStream` for the
step and `selection.steps` for the rules. What differs from the papers:

1. The teacher is the averaged model, whose labels are steadier in short trainings; `teacher:
   student` is FixMatch's own, though without dropout.
2. Label smoothing is undone before a rule sees a probability (`undo_smoothing`); the papers train
   without it.
3. Slow means of rules forget their start within short trainings (`bounded_horizon`).
4. One unlabelled clip for each labelled one where FixMatch has seven: a step takes as much longer.
5. Unlabelled clips are not mixed up, whatever `training.mixup` says of labelled ones.
6. Their weight rises from 0 in the first part of a training (`warmup_fraction`), in which a teacher
   of hundreds of steps, not hundreds of thousands, knows nothing.
7. The teacher's probabilities are brought to the labelled clips' frequencies of glosses before any
   rule sees them, where only FixMatch's ReMixMatch variant has that. So DebiasPL and FreeMatch
   measure the bias that this leaves, and SoftMatch's labels are aligned ones;
   `distribution_alignment: none` has the papers' order.

Sentences are pseudo-labelled likewise (`training.sentences.stream.SentenceStream`): the averaged
model's best path is what CTC trains strong views to, as in momentum pseudo-labelling (Higuchi et
al. 2021, arXiv 2106.08922) for speech. What differs from that paper:

1. Its seed model is a training of its own; here it is the first part of this one
   (`start_fraction`), so that supervised learning can have as many steps.
2. The teacher's blank is shifted (`align_rate`), without which hypotheses lose more and more
   glosses, and unlabelled sentences weigh less.
3. Hypotheses with too few or too many glosses for their steps are left out (`reject`).
4. Unlabelled sentences have no dense labels; those of labelled ones are as ever.
"""

from __future__ import annotations

from slr_ray.errors import ConfigError
from slr_ray.experiment.consistency_config import StepByStep
from slr_ray.experiment.experiment import Method
from slr_ray.training.problem import Problem
from slr_ray.training.round import Stream


def stream_settings(method: Method, problem: Problem, num_workers: int) -> Stream | None:
    """How unlabelled clips take part in every step; None where the method has it otherwise.

    None, too, where there is no unlabelled clip: what is left is supervised, of which users are
    warned before they start. `ConfigError` with several workers.
    """
    if not isinstance(method, StepByStep):
        return None
    refuse_several_workers(method, num_workers)
    return method if len(problem.unlabelled) else None


def refuse_several_workers(method: Method, num_workers: int) -> None:
    """`ConfigError` where several workers were to train step by step."""
    if isinstance(method, StepByStep) and num_workers > 1:
        raise ConfigError(
            f"method.kind is {method.kind!r}, which trains with one worker, but there are "
            f"{num_workers}: each would see other clips. Use one worker a training"
        )
