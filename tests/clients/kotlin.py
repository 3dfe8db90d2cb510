"""Compiles what the generated client for Kotlin sends and reads, and sends every example of the document through it.

`kotlin.py DOCUMENT FOLDER`. The compiler, its plugin for serialization and the run-time library are those of the Kotlin
kernel for Jupyter: no registry of Python has them by themselves.
"""

import json
import os
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

document = json.loads(Path(sys.argv[1]).read_text())
folder = Path(sys.argv[2])
here = Path(__file__).parent
jars = Path(sysconfig.get_path("purelib")) / "run_kotlin_kernel/jars"
(compiler,) = jars.glob("kotlin-jupyter-kernel-*-all.jar")
library = [next(jars.glob(f"{name}-[0-9]*.jar")) for name in
           ("kotlin-stdlib", "kotlinx-serialization-core-jvm", "kotlinx-serialization-json-jvm")]
JAVA = os.environ.get("JAVA", "java").split()


def answers():
    """The class and the example of each operation's success."""
    for item in document["paths"].values():
        for operation in item.values():
            for status, response in operation["responses"].items():
                body = response.get("content", {}).get("application/json", {})
                # `assetlinks.json` is a list, which is no model; its shape is not ours.
                if status.startswith("2") and "example" in body and "$ref" in body["schema"]:
                    yield operation["operationId"], body["schema"]["$ref"].split("/")[-1], body["example"]


def plugin():
    """The compiler finds a plugin by what its own jar says; the one that has the classes names others."""
    jar = folder / "serialization.jar"
    package = "org.jetbrains.kotlinx.serialization.compiler.extensions"
    with zipfile.ZipFile(jar, "w") as archive:
        for kind, name in (("CompilerPluginRegistrar", "SerializationComponentRegistrar"),
                           ("CommandLineProcessor", "SerializationPluginOptions")):
            archive.writestr(f"META-INF/services/org.jetbrains.kotlin.compiler.plugin.{kind}", f"{package}.{name}\n")
    return jar


def table(rows):
    """Which class reads the answer to which operation, as Kotlin."""
    lines = [f'    "{operation}" to twofold.client.models.{model}.serializer(),' for operation, model, _ in rows]
    return "\n".join(["val ANSWERS: Map<String, kotlinx.serialization.KSerializer<out Any>> = mapOf(", *lines, ")\n"])


def compile_and_run(rows):
    source = folder / "kotlin/src/main/kotlin/twofold/client"
    (folder / "Answers.kt").write_text(table(rows))
    examples = folder / "examples.json"
    problems = {code: example["value"] for code, example in document["components"]["examples"].items()}
    examples.write_text(json.dumps({"answers": {row[0]: row[2] for row in rows}, "problems": problems}))
    # The rest needs Retrofit and OkHttp, which only a registry of Java has.
    sources = [source / "models", source / "infrastructure/Serializer.kt",
               *sorted((source / "infrastructure").glob("*Adapter.kt")), folder / "Answers.kt", here / "Examples.kt"]
    classes = folder / "classes"
    path = os.pathsep.join(map(str, library))
    subprocess.run([*JAVA, "-cp", compiler, "org.jetbrains.kotlin.cli.jvm.K2JVMCompiler", "-no-stdlib", "-no-reflect",
                    "-nowarn", f"-Xplugin={plugin()}", "-cp", path, "-d", classes, *sources], check=True)
    subprocess.run([*JAVA, "-cp", os.pathsep.join([path, str(classes)]), "ExamplesKt", examples], check=True)


compile_and_run(list(answers()))
