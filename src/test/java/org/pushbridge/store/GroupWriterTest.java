package org.pushbridge.store;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.sql.DriverManager;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the writer does when a write hangs or breaks it; the rest is in {@link StoreContract}. */
class GroupWriterTest {
    private final StoreSettings settings;
    private final GroupWriter writer;

    GroupWriterTest(@TempDir Path directory) {
        settings = StoreSettings.of("jdbc:h2:file:" + directory.resolve("database"), "pushbridge", "");
        Database database = Database.of(settings);
        writer = new GroupWriter(
                database,
                () -> DriverManager.getConnection(database.url(), settings.user(), settings.password()),
                settings,
                () -> {});
    }

    @BeforeEach
    void createDatabase() {
        Store.open(settings).close();
    }

    @Test
    void closingDoesNotWaitForeverForAWriteThatHangs() throws Exception {
        CountDownLatch hanging = new CountDownLatch(1);
        CountDownLatch release = new CountDownLatch(1);
        CompletableFuture<Void> hung = writer.write("hang", handle -> {
                    hanging.countDown();
                    try {
                        assertThat(release.await(30, SECONDS)).isTrue();
                    } catch (InterruptedException e) {
                        throw new AssertionError(e);
                    }
                })
                .toCompletableFuture();
        assertThat(hanging.await(30, SECONDS)).isTrue();
        CompletableFuture<Void> behind = writer.write("come next", handle -> {}).toCompletableFuture();

        assertThat(writer.close(Duration.ofMillis(20))).isFalse();

        assertThatThrownBy(behind::join)
                .hasCauseInstanceOf(StoreException.class)
                .hasMessageContaining("Could not come next: the store was closed");
        assertThat(hung).isNotDone();
        release.countDown();
        assertThat(hung).succeedsWithin(Duration.ofSeconds(30));
    }

    @Test
    void anErrorInOneWriteLeavesTheWriterAtWork() {
        CompletableFuture<Void> broken = writer.write("break", handle -> {
                    throw new OutOfMemoryError("for this test");
                })
                .toCompletableFuture();
        CompletableFuture<Void> next = writer.write("go on", handle -> {}).toCompletableFuture();

        assertThatThrownBy(broken::join)
                .hasCauseInstanceOf(StoreException.class)
                .hasMessageContaining("Could not break")
                .hasMessageContaining("for this test");
        assertThat(next).succeedsWithin(Duration.ofSeconds(30));
        assertThat(writer.close(Duration.ofSeconds(30))).isTrue();
    }
}
