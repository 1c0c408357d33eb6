"""What the tagger learns from: gold entities, non-entities, and its former self."""

from typing import List, Optional, Sequence, Tuple

import numpy as np
import torch
from spacy.training import Example
from torch import Tensor

from ..tagger import crf
from ..tagger.gold_tags import tags_of_words
from ..tagger.parameters import IMPOSSIBLE, CrfParameters
from ..tagger.potentials import Potentials
from ..tagger.row_parts import row_parts
from ..tagger.sentence_rows import DocRows, SentenceRows
from ..tagger.tag_schemes import Span, TagMask, TagScheme
from ..text.annotated_labels import annotated_labels

Loss = Tuple[float, Potentials]

# log probability above which an incorrect span counts as certain
MOST_CERTAIN = -1e-4


def likelihood_loss(
    examples: Sequence[Example],
    potentials: Potentials,
    scheme: TagScheme,
    *,
    incorrect_spans_key: Optional[str],
) -> Loss:
    """Negative log likelihood of the gold entities, averaged over the tokens.

    Tokens without gold or with misaligned gold count with all their tags. In a Doc that
    annotates only some labels, tokens outside of entities also count with the tags of
    the other labels.

    Args:
        examples: Predicted and gold Docs.
        potentials: The model's output for the predicted Docs.
        scheme: The tags.
        incorrect_spans_key: For each span of this group of the gold Doc,
            -log(1 - P(span)) is added: it is known only that this entity is not there.

    Returns:
        The loss and its gradient.
    """
    rows = potentials.rows
    learnt = potentials.map(_leaf)
    parameters = learnt.legal_parameters(scheme)
    known_tags = torch.from_numpy(_known_tags(examples, rows, scheme))
    incorrect: List[Span] = []
    if incorrect_spans_key is not None:
        incorrect = _incorrect_spans(examples, rows, incorrect_spans_key)
    losses = []
    for _, part in row_parts(rows, len(scheme.tags)):
        emissions = part.pad(learnt.emissions)
        lengths = part.lengths.to(emissions.device)
        known = part.pad(known_tags).to(emissions.device)
        likelihood = crf.log_likelihood(emissions, lengths, parameters, known)
        losses.append(-likelihood.sum())
        if incorrect:
            losses.append(
                _incorrect_loss(
                    incorrect, part, scheme, emissions, lengths, parameters, known
                )
            )
    loss = torch.stack(losses).sum()
    return _with_gradients(loss / max(1, len(rows.places)), learnt)


def rehearsal_loss(
    potentials: Potentials, teacher: Potentials, scheme: TagScheme
) -> Loss:
    """Divergence of the tagger from the teacher.

    KL(teacher ‖ tagger) of the distributions over whole paths, up to a constant: log Z
    of the tagger less its expected score under the teacher, whose expectations are the
    gradient of its own log Z. Tags of labels new to the tagger count only where the
    teacher sees an entity, whose place they must not take; elsewhere they are left alone.

    Args:
        potentials: The tagger's potentials.
        teacher: The teacher's potentials for the same Docs.
        scheme: The tagger's tags. The teacher has the first of them.

    Returns:
        The loss and its gradient.
    """
    rows = potentials.rows
    n_tags = len(teacher.start)
    of_teacher = teacher.map(_leaf)
    _log_partition(of_teacher, rows, scheme.before_growth(n_tags)).backward()
    expectations = of_teacher.map(_gradient)
    learnt = potentials.map(_leaf)
    counted = torch.ones_like(learnt.emissions, dtype=torch.bool)
    counted[:, n_tags:] = expectations.emissions[:, scheme.tags.index("O"), None] < 0.5
    log_z = _log_partition(learnt, rows, scheme, counted)
    expected = (learnt.emissions[:, :n_tags] * expectations.emissions).sum()
    for score, expectation in (
        (learnt.transitions, expectations.transitions),
        (learnt.start, expectations.start),
        (learnt.end, expectations.end),
    ):
        old_part = score[(slice(n_tags),) * score.dim()]
        expected = expected + (old_part * expectation).sum()
    return _with_gradients((log_z - expected) / max(1, len(rows.places)), learnt)


def _log_partition(
    potentials: Potentials,
    rows: SentenceRows,
    scheme: TagScheme,
    counted: Optional[Tensor] = None,
) -> Tensor:
    """The sum of log Z over all sentences, for paths with only the counted tags."""
    parameters = potentials.legal_parameters(scheme)
    of_parts = []
    for _, part in row_parts(rows, len(scheme.tags)):
        emissions = part.pad(potentials.emissions)
        lengths = part.lengths.to(emissions.device)
        allowed = None if counted is None else part.pad(counted)
        log_z = crf.log_partition(emissions, lengths, parameters, allowed)
        of_parts.append(log_z.sum())
    return torch.stack(of_parts).sum()


def _leaf(tensor: Tensor) -> Tensor:
    return tensor.detach().requires_grad_()


def _gradient(leaf: Tensor) -> Tensor:
    return torch.zeros_like(leaf) if leaf.grad is None else leaf.grad


def _with_gradients(loss: Tensor, learnt: Potentials) -> Loss:
    loss.backward()
    return float(loss.detach()), learnt.map(_gradient)


def _known_tags(
    examples: Sequence[Example], rows: DocRows, scheme: TagScheme
) -> TagMask:
    """bool (N, tags): the tags that agree with the gold, sentence by sentence."""
    gold: List[Optional[str]] = []
    for example, words in zip(examples, rows.words_of_docs, strict=True):
        gold += tags_of_words(example.get_aligned_ner(), words.tolist())
    masks = [scheme.allowed(gold[start:end]) for start, end in rows.spans]
    known: TagMask = np.concatenate(masks)
    ends = np.cumsum([len(words) for words in rows.words_of_docs])
    for example, of_doc in zip(examples, np.split(known, ends[:-1]), strict=True):
        labels = annotated_labels(example.reference)
        if labels is not None:
            # outside of the annotated entities, but maybe in another one
            is_outside = (of_doc == scheme.outside).all(1)
            of_doc[is_outside] |= scheme.other_labels(labels)
    return known


def _incorrect_spans(
    examples: Sequence[Example], rows: DocRows, key: str
) -> List[Span]:
    """Spans known to be wrong, in words of the batch laid end to end.

    Raises ValueError if one of them is also a gold entity.
    """
    spans = []
    offset = 0
    for example, words in zip(examples, rows.words_of_docs, strict=True):
        gold = {(e.start, e.end, e.label_) for e in example.reference.ents}
        if key in example.reference.spans:
            wrong = list(example.reference.spans[key])
            for span in wrong:
                if (span.start, span.end, span.label_) in gold:
                    raise ValueError(
                        f"The span {span.text!r} with label {span.label_!r} is an "
                        f"entity of the gold Doc and also among its incorrect spans "
                        f"(doc.spans[{key!r}]). Remove it from one of them."
                    )
            aligned = example.get_aligned_spans_y2x(wrong, allow_overlap=True)
            for span in aligned:
                start, end = np.searchsorted(words, [span.start, span.end]).tolist()
                if start < end:
                    spans.append((start + offset, end + offset, span.label_))
        offset += len(words)
    return spans


def _incorrect_loss(
    spans: List[Span],
    rows: SentenceRows,
    scheme: TagScheme,
    emissions: Tensor,
    lengths: Tensor,
    parameters: CrfParameters,
    known: Tensor,
) -> Tensor:
    """Σ -log(1 - P(span | what is known)), for spans inside one sentence."""
    places, with_span = [], []
    width = emissions.shape[1]
    for row, (start, end) in enumerate(rows.spans):
        for left, right, label in spans:
            if (
                start <= left
                and right <= end
                and (label == "O" or scheme.has_label(label))
            ):
                mask = known[row].cpu().numpy()
                if label == "O":
                    # as in spaCy's ner: these words are not all outside entities
                    entity = scheme.block(mask, left - start, right - start)
                else:
                    entity = scheme.entity_mask(
                        mask, left - start, right - start, label
                    )
                if (entity & ~mask)[: end - start].any():
                    continue  # what is known already excludes it
                places.append(row)
                with_span.append(torch.from_numpy(entity)[:width])
    if not places:
        return emissions.sum() * 0.0
    index = torch.tensor(places, device=emissions.device)
    chosen, some = emissions[index], lengths[index]
    entity_masks = torch.stack(with_span).to(emissions.device)
    every = crf.log_partition(chosen, some, parameters, known[index])
    through = crf.log_partition(chosen, some, parameters, entity_masks)
    possible = (every > IMPOSSIBLE) & (through > IMPOSSIBLE)
    log_probability = (through - every)[possible]
    # A certain span has an infinite loss. The value is bounded, but gradients pass.
    excess = (log_probability - MOST_CERTAIN).clamp(min=0.0).detach()
    return -torch.log1p(-(log_probability - excess).exp()).sum()
