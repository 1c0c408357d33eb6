"""The nodes of a pipeline's models."""

from typing import Any, List, TypeVar, Union

from spacy.language import Language
from thinc.api import Model

AnyModel = Model[Any, Any]
TargetT = TypeVar("TargetT", bound=Union[Language, AnyModel])


def nodes_named(target: Union[Language, AnyModel], name: str) -> List[AnyModel]:
    """The nodes of this name in a model, or in all components, even disabled ones."""
    if isinstance(target, Language):
        models = [
            getattr(component, "model", None) for _, component in target.components
        ]
    else:
        models = [target]
    return [
        node
        for model in models
        if isinstance(model, Model)
        for node in model.walk()
        if node.name == name
    ]
