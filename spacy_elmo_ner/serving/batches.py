"""The texts of many requests, read together."""

import queue
import threading
from concurrent.futures import Future
from contextlib import nullcontext
from typing import ContextManager, Iterator, List, NamedTuple, Sequence

from spacy.language import Language

from ..pipeline.components import with_probabilities
from .found import Found, entities

# Requests are joined up to this size, about a second's work; longer ones go alone.
CHARACTERS = 20_000
Answer = List[List[Found]]


class Request(NamedTuple):
    """Texts, and the future that will hold the entities of each."""

    texts: Sequence[str]
    answer: "Future[Answer]"


class Batches:
    """Reads what came in while it was busy as one batch, which is several times as fast
    as one text after another.

    One thread reads them all, and divides its work among threads where that pays. As it
    alone touches the vocab, it can use spaCy's memory zones, which all texts of a vocab
    would have to share, so that the vocab does not grow with each new word.

    Args:
        nlp: The pipeline; nothing else may use it from now on.
    """

    def __init__(self, nlp: Language) -> None:
        self.nlp = with_probabilities(nlp)
        self._queue: "queue.SimpleQueue[Request]" = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="batches", daemon=True)
        self._thread.start()

    def put(self, texts: Sequence[str]) -> "Future[Answer]":
        """Queue texts to be read.

        Args:
            texts: The texts of a request.

        Returns:
            A future that will hold the entities of each. A request that is cancelled
            before its turn is not read.
        """
        answer: "Future[Answer]" = Future()
        self._queue.put(Request(texts, answer))
        return answer

    def _work(self) -> None:
        for batch in self._batches():
            begun = [one for one in batch if one.answer.set_running_or_notify_cancel()]
            self._answer(begun)

    def _batches(self) -> Iterator[List[Request]]:
        batch: List[Request] = []
        size = 0
        while True:
            try:
                # waits only when there is nothing to read
                request = self._queue.get(block=not batch)
            except queue.Empty:
                yield batch
                batch, size = [], 0
                continue
            length = sum(map(len, request.texts))
            if batch and size + length > CHARACTERS:
                yield batch
                batch, size = [], 0
            batch.append(request)
            size += length

    def _answer(self, requests: List[Request]) -> None:
        try:
            found = iter(
                self._entities([text for one in requests for text in one.texts])
            )
        except Exception as error:
            if len(requests) == 1:
                requests[0].answer.set_exception(error)
            else:
                # one request's texts do not spoil another's
                for one in requests:
                    self._answer([one])
            return
        for one in requests:
            one.answer.set_result([next(found) for _ in one.texts])

    def _entities(self, texts: List[str]) -> Answer:
        with _memory_zone(self.nlp):
            return [entities(doc) for doc in self.nlp.pipe(texts)]


def _memory_zone(nlp: Language) -> ContextManager[object]:
    """A context that frees the strings and lexemes of new words, from spaCy 3.8 on."""
    return nlp.memory_zone() if hasattr(nlp, "memory_zone") else nullcontext()
