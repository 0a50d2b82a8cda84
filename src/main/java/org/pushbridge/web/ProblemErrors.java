package org.pushbridge.web;

import java.nio.ByteBuffer;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.http.HttpStatus;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.Callback;

/** Says as a problem what Jetty refuses by itself: malformed requests, long ones, and any while it shuts down. */
final class ProblemErrors implements Request.Handler {
    private static final int LARGEST_BODY = VerdictRoutes.LARGEST_BODY;

    @Override
    public boolean handle(Request request, Response response, Callback callback) {
        Problem problem = problem(response.getStatus());
        response.setStatus(problem.status());
        problem.headers().forEach((name, value) -> response.getHeaders().put(name, value));
        response.getHeaders().put(HttpHeader.CONTENT_TYPE, Problem.CONTENT_TYPE);
        response.getHeaders().put(HttpHeader.CACHE_CONTROL, "no-store");
        response.write(true, ByteBuffer.wrap(problem.json()), callback);
        return true;
    }

    private static Problem problem(int status) {
        return switch (status) {
            case 413 -> Problem.bodyTooLarge(LARGEST_BODY);
            case 404 -> Problem.notFound();
            case 500 -> Problem.inside();
            case 503 -> Problem.notNow();
            default -> Problem.malformed(status, HttpStatus.getMessage(status));
        };
    }
}
