// Reads every example of the document with the generated classes, and writes it again.

import java.io.File
import kotlinx.serialization.KSerializer
import kotlinx.serialization.json.JsonArray
import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.json.JsonNull
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.JsonPrimitive
import kotlinx.serialization.json.jsonObject
import twofold.client.infrastructure.Serializer.kotlinxSerializationJson as json
import twofold.client.models.Acr
import twofold.client.models.LoginResult
import twofold.client.models.Problem
import twofold.client.models.Tokens

fun main(arguments: Array<String>) {
    val given = json.parseToJsonElement(File(arguments[0]).readText()).jsonObject
    for ((operation, example) in given.getValue("answers").jsonObject) {
        throughClass(operation, ANSWERS.getValue(operation), example)
    }
    for ((code, example) in given.getValue("problems").jsonObject) {
        val problem = throughClass(code, Problem.serializer(), example)
        check(problem.code == code) { "$code was read as ${problem.code}" }
    }
    val answers = given.getValue("answers").jsonObject
    signIns(answers.getValue("login"), answers.getValue("refreshTokens"))
    unknownValue(answers.getValue("refreshTokens"))
    val read = given.values.sumOf { it.jsonObject.size }
    println("ok  kotlin: compiles, and reads and writes $read examples")
}

fun <T> throughClass(name: String, serializer: KSerializer<T>, example: JsonElement): T {
    val later = JsonObject(example.jsonObject + ("member_of_a_later_version" to JsonPrimitive(1)))
    val value = json.decodeFromJsonElement(serializer, later)
    val back = json.encodeToJsonElement(serializer, value)
    check(isKept(example, back)) { "$name: $example came back as $back" }
    return value
}

/** Whether nothing of an example was lost; a member that is absent and one that is null are the same. */
fun isKept(sent: JsonElement, back: JsonElement?): Boolean = when (sent) {
    is JsonObject -> back is JsonObject && sent.all { (name, value) -> isKept(value, back[name]) }
    is JsonArray -> back is JsonArray && sent.size == back.size && sent.indices.all { isKept(sent[it], back[it]) }
    else -> (back ?: JsonNull) == sent
}

/** Both answers to a sign-in are told apart. */
fun signIns(example: JsonElement, tokens: JsonElement) {
    val awaited = json.decodeFromJsonElement(LoginResult.serializer(), example)
    check(awaited is LoginResult.SecondFactorRequiredWrapper && awaited.value.challenge.isNotEmpty())
    val signedIn = mapOf("result" to JsonPrimitive("signed_in"), "setup_required" to JsonPrimitive(false))
    val complete = JsonObject(signedIn + ("tokens" to tokens))
    val done = json.decodeFromJsonElement(LoginResult.serializer(), complete)
    check(done is LoginResult.SignedInWrapper && done.value.tokens.acr == Acr.aal1)
}

/** A value of an enumeration that is newer than the client does not stop it. */
fun unknownValue(example: JsonElement) {
    val newer = JsonObject(example.jsonObject + ("acr" to JsonPrimitive("aal3")))
    check(json.decodeFromJsonElement(Tokens.serializer(), newer).acr == Acr.unknown_default_open_api)
}
