package org.pushbridge.app;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.function.Consumer;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.Logger;
import org.pushbridge.sim.apns.Answer;
import org.pushbridge.sim.apns.ApnsEvent;
import org.pushbridge.sim.apns.ReceivedPush;

/**
 * Writes what a simulated APNs is sent to a file ({@code apns.simulated-log}), a line of JSON for each push, with the
 * tokens that an app would get: so that whoever tries the bridge out can be the app. Only its owner may read the file.
 * Thread-safe; blocks for the write.
 */
final class PushLog implements Consumer<ApnsEvent> {
    private static final Logger LOG = LogManager.getLogger(PushLog.class);
    private static final ObjectMapper JSON = new ObjectMapper();

    private final Path file;

    private PushLog(Path file) {
        this.file = file;
    }

    /**
     * Adds to the file, or makes it.
     *
     * @throws UncheckedIOException if it cannot be written
     */
    static PushLog to(Path file) {
        try {
            Files.createFile(file, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
        } catch (FileAlreadyExistsException e) {
            LOG.debug("Pushes are added to {}", file);
        } catch (IOException e) {
            throw new UncheckedIOException("The file of apns.simulated-log, " + file + ", cannot be made", e);
        }
        return new PushLog(file);
    }

    @Override
    public synchronized void accept(ApnsEvent event) {
        if (!(event instanceof ApnsEvent.Decided decided)) {
            return;
        }
        try {
            String line = line(decided.push()) + "\n";
            Files.write(file, line.getBytes(StandardCharsets.UTF_8), StandardOpenOption.APPEND);
        } catch (IOException e) {
            LOG.warn("A push could not be added to {}", file, e);
        }
    }

    private static String line(ReceivedPush push) throws IOException {
        ObjectNode line = JSON.createObjectNode();
        line.put("at", push.at().toString());
        push.type().ifPresent(type -> line.put("push-type", type.header()));
        line.put("apns-id", push.apnsId());
        line.put("topic", push.topic());
        line.put("device-token", push.token());
        push.collapseId().ifPresent(id -> line.put("collapse-id", id));
        if (push.answer() instanceof Answer.Rejected rejected) {
            line.put("status", rejected.status()).put("refused-with", rejected.reason());
        } else if (push.answer() instanceof Answer.Accepted) {
            line.put("status", 200);
        }
        line.set("payload", push.payload());
        return JSON.writeValueAsString(line);
    }
}
