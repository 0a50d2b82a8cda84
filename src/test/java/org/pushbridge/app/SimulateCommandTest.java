package org.pushbridge.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PipedInputStream;
import java.io.PipedOutputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Clock;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.pushbridge.config.Config;
import org.pushbridge.push.PushSender;
import picocli.CommandLine;

class SimulateCommandTest {
    private final Path folder;
    private final StringWriter out = new StringWriter();

    SimulateCommandTest(@TempDir Path folder) {
        this.folder = folder;
    }

    private int run(InputStream commands) {
        return new CommandLine(new SimulateCommand.Apns(commands))
                .setOut(new PrintWriter(out))
                .execute("--folder", folder.resolve("apns").toString(), "--app", "org.example.phone");
    }

    @Test
    void aBridgeWithItsConfigurationConnectsToIt() throws Exception {
        PipedOutputStream told = new PipedOutputStream();
        PipedInputStream commands = new PipedInputStream(told);
        CompletableFuture<Integer> code = CompletableFuture.supplyAsync(() -> run(commands));
        await().until(() -> out.toString().contains("ready"));

        Config config = Config.load(folder.resolve("apns/apns.conf"));
        try (PushSender sender = new PushSender(Settings.push(config), Clock.systemUTC())) {
            assertThat(sender.warmUp().toCompletableFuture().get(20, TimeUnit.SECONDS))
                    .singleElement()
                    .satisfies(link -> assertThat(link.failure()).isEmpty());
        }
        told.close();
        assertThat(code.get(20, TimeUnit.SECONDS)).isZero();
    }

    @Test
    void eachLineIsConfirmedOrQuestioned() throws IOException {
        String commands = """
                take a1b2
                take-numbers 1 3
                answer 410 Unregistered a1b2
                answer 503 ServiceUnavailable
                slow 200
                silence
                refuse
                accept
                drop
                clear
                answer sometimes
                jump
                """;
        assertThat(run(new ByteArrayInputStream(commands.getBytes(StandardCharsets.UTF_8))))
                .isZero();
        assertThat(out.toString().lines())
                .filteredOn(line -> line.startsWith("ok "))
                .hasSize(10);
        assertThat(out.toString().lines())
                .filteredOn(line -> line.startsWith("what? "))
                .containsExactly("what? answer sometimes", "what? jump");
    }
}
