"""Whether the clients that were generated into FOLDER/python, kotlin and swift are usable: `shape.py DOCUMENT FOLDER`.

What is asked of them is read from the document, so that a new operation or schema is asked for by itself.
"""

import importlib
import inspect
import json
import pkgutil
import re
import sys
from pathlib import Path

import tree_sitter
import tree_sitter_kotlin
import tree_sitter_swift

document = json.loads(Path(sys.argv[1]).read_text())
folder = Path(sys.argv[2])
schemas = document["components"]["schemas"]
FORM = "application/x-www-form-urlencoded"


def resolved(each):
    return document["components"]["parameters"][each["$ref"].split("/")[-1]] if "$ref" in each else each


def operations():
    """Each operation's name, and the names of its parameters."""
    for item in document["paths"].values():
        for operation in item.values():
            yield operation["operationId"], [resolved(each)["name"] for each in operation.get("parameters", [])]


def snake(name):
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|-", "_", name).lower()


def camel(name):
    first, *others = name.split("-")
    return first[0].lower() + first[1:] + "".join(other.capitalize() for other in others)


def members():
    """Every member of every schema."""
    for name, schema in schemas.items():
        for member, described in schema.get("properties", {}).items():
            yield name, member, described


OPERATIONS = list(operations())
# The members of a form are parameters of its call, and no model.
FORMS = {
    operation["requestBody"]["content"][FORM]["schema"]["$ref"].split("/")[-1]
    for item in document["paths"].values()
    for operation in item.values()
    if FORM in operation.get("requestBody", {}).get("content", {})
}
MODELS = {name for name, schema in schemas.items() if {"properties", "enum", "oneOf"} & schema.keys()} - FORMS
ENUMERATIONS = {name for name, schema in schemas.items() if "enum" in schema}
OPEN = [(name, member) for name, member, schema in members() if "The list is open" in schema.get("description", "")]


class Text:
    """A client of a language that is read as text: its calls, its models, and whether every file parses."""

    def __init__(self, root, ending, language, call, unknown):
        # Only what comes from the document: the rest is the generator's own and the same for every document.
        files = [file for file in sorted(root.rglob(f"*{ending}")) if file.parent.name.lower() in ("apis", "models")]
        self.files = {file: file.read_text() for file in files}
        self.language, self.call, self.unknown = tree_sitter.Language(language), call, unknown

    def of(self, kind):
        return {file.stem: text for file, text in self.files.items() if file.parent.name.lower() == kind}

    def check(self, name):
        parser = tree_sitter.Parser(self.language)
        for file, text in self.files.items():
            demand(not parser.parse(text.encode()).root_node.has_error, f"{name}: {file.name} does not parse")
        calls = "\n".join(self.of("apis").values())
        for operation, parameters in OPERATIONS:
            found = re.findall(rf"{self.call} {operation}\(([^{{\n]*)\)", calls)
            demand(len(found) == 1, f"{name}: {operation} is there {len(found)} times")
            for parameter in parameters:
                demand(f"{camel(parameter)}: " in found[0], f"{name}: {operation} does not take {parameter}")
        models = self.of("models")
        same_models(name, models.keys())
        for enumeration in ENUMERATIONS:
            demand(self.unknown in models[enumeration], f"{name}: {enumeration} refuses a value that it does not know")
        for model, member in OPEN:
            declared = rf"\b(val|var) {camel(member)}: (kotlin\.)?String\b"
            demand(re.search(declared, models[model]), f"{name}: {model}.{member} is not open")
        print(f"ok  {name}: {len(OPERATIONS)} calls, {len(models)} models, {len(self.files)} files parse")


def demand(holds, otherwise):
    if not holds:
        raise SystemExit(otherwise)


def same_models(name, found):
    """A model for each schema under its own name: what a generator adds, it has to name by itself."""
    demand(set(found) == MODELS, f"{name}: models that differ from the schemas: {sorted(set(found) ^ MODELS)}")


def check_python():
    sys.path.insert(0, str(folder / "python"))
    package = importlib.import_module("twofold_client")
    modules = [each.name for each in pkgutil.walk_packages(package.__path__, "twofold_client.")]
    for module in modules:
        importlib.import_module(module)
    apis = [value for name, value in vars(package).items() if name.endswith("Api")]
    for operation, parameters in OPERATIONS:
        found = [vars(api)[snake(operation)] for api in apis if snake(operation) in vars(api)]
        demand(len(found) == 1, f"python: {operation} is there {len(found)} times")
        missing = {snake(each) for each in parameters} - inspect.signature(found[0]).parameters.keys()
        demand(not missing, f"python: {operation} does not take {missing}")
    files = {each.stem for each in (folder / "python/twofold_client/models").glob("[a-z]*.py")}
    same_models("python", {name for name in vars(package) if snake(name) in files})
    for model, member in OPEN:
        demand(getattr(package, model).model_fields[member].annotation is str, f"python: {model}.{member} is not open")
    print(f"ok  python: {len(OPERATIONS)} calls, {len(files)} models, {len(modules)} modules import")


check_python()
Text(folder / "kotlin", ".kt", tree_sitter_kotlin.language(), "fun", "unknown_default_open_api").check("kotlin")
Text(folder / "swift", ".swift", tree_sitter_swift.language(), "func", "unknownDefaultOpenApi").check("swift")
demand(OPEN, "the document names no open list, so that nothing was checked")
