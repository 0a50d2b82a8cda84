package org.pushbridge.web;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Why a request is not served, as its sender is told (RFC 9457). Thrown by handlers; has no stack trace, since it is an
 * answer and no fault.
 */
final class Problem extends RuntimeException {
    static final String CONTENT_TYPE = "application/problem+json";

    private static final ObjectMapper JSON = new ObjectMapper();

    private final int status;
    private final String type;
    private final String title;
    private final String detail;
    private final Map<String, String> headers;

    private Problem(int status, String type, String title, String detail, Map<String, String> headers) {
        super(title, null, false, false);
        this.status = status;
        this.type = type;
        this.title = title;
        this.detail = detail;
        this.headers = headers;
    }

    private static Problem of(int status, String type, String title, String detail) {
        return new Problem(status, type, title, detail, Map.of());
    }

    static Problem noToken() {
        // RFC 6750 section 3.1: no error code for a request that lacks any authentication.
        return new Problem(
                401,
                "token-missing",
                "A token is needed",
                "Send the push payload's verdict-token in the header Authorization: Bearer <token>.",
                Map.of("WWW-Authenticate", "Bearer realm=\"pushbridge\""));
    }

    static Problem wrongToken() {
        return new Problem(
                401,
                "token-invalid",
                "The token is not good for this call",
                "Send the verdict-token of the same push payload that the URL came from; each is good for one call on"
                        + " one device. Do not try again with this one.",
                Map.of(
                        "WWW-Authenticate",
                        "Bearer realm=\"pushbridge\", error=\"invalid_token\","
                                + " error_description=\"The token is not good for this call\""));
    }

    static Problem notFound() {
        return of(
                404,
                "not-found",
                "There is nothing at this path",
                "Use the push payload's verdict-url as it is; /openapi.json describes what there is.");
    }

    static Problem forgotten() {
        return of(
                410,
                "call-forgotten",
                "Nothing is known of the call any more",
                "It ended long ago: end it on the screen if it is still shown, and do not ask again.");
    }

    /** @param allow the methods there are, separated by commas */
    static Problem method(String allow) {
        return new Problem(
                405,
                "method-not-allowed",
                "The method is not one of this path's",
                "Use one of: " + allow + ".",
                Map.of("Allow", allow));
    }

    static Problem badBody(String detail) {
        return of(400, "body-invalid", "The body is not understood", detail);
    }

    static Problem bodyTooLarge(int most) {
        return of(
                413,
                "body-too-large",
                "The body is too large",
                "Send at most " + most + " bytes; {\"reason\":\"busy\"} is all there is to say.");
    }

    static Problem bodyNotJson() {
        return of(
                415,
                "body-not-json",
                "The body is no JSON",
                "Send it with Content-Type: application/json, or leave it out.");
    }

    /** @param wait until the next request is let through */
    static Problem tooMany(String whose, Duration wait) {
        return new Problem(
                429,
                "too-many-requests",
                "There were too many requests",
                "Too many came " + whose + ". Wait as many seconds as Retry-After says.",
                Map.of(
                        "Retry-After",
                        Long.toString(Math.max(1, wait.plusMillis(999).toSeconds()))));
    }

    static Problem inside() {
        return of(500, "internal-error", "Something went wrong in the bridge", "It is in the bridge's log.");
    }

    static Problem notNow() {
        return new Problem(
                503,
                "not-now",
                "The bridge cannot say at the moment",
                "Go on with the call as if it lived, and ask again as soon as Retry-After says.",
                Map.of("Retry-After", "1"));
    }

    /** For what the HTTP server refuses before any path is looked at. */
    static Problem malformed(int status, String title) {
        return of(
                status,
                "request-refused",
                title,
                "Send a plain HTTP/1.1 request with short headers; /openapi.json describes what there is.");
    }

    int status() {
        return status;
    }

    Map<String, String> headers() {
        return headers;
    }

    byte[] json() {
        Map<String, Object> members = new LinkedHashMap<>();
        members.put("type", "urn:pushbridge:" + type);
        members.put("title", title);
        members.put("status", status);
        members.put("detail", detail);
        try {
            return JSON.writeValueAsBytes(members);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("A map of texts cannot be written as JSON", e);
        }
    }
}
