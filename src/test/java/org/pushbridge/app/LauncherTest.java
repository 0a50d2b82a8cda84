package org.pushbridge.app;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** The launcher, with a java and a mvn that only tell how they were called. */
@DisabledOnOs(OS.WINDOWS)
class LauncherTest {
    private final Path programs;
    private final Path home;
    private String halfOfTheMemory = "1073741824";
    private String javaVersion = "17";
    private String mavenExit = "0";
    private String archive = "";

    LauncherTest(@TempDir Path folder) throws IOException {
        this.programs = Files.createDirectory(folder.resolve("bin"));
        this.home = Files.createDirectory(folder.resolve("a home"));
        Files.copy(Path.of("pushbridge"), home.resolve("pushbridge"));
        program("java", """
                case "$*" in
                *XshowSettings*)
                    echo "   size_t MaxHeapSize      = $FAKE_HEAP     {product} {ergonomic}"
                    echo "    java.specification.version = $FAKE_JAVA" >&2 ;;
                *ArchiveClassesAtExit*|*AOTCacheOutput*) [ -n "$FAKE_ARCHIVE" ] && echo > "${1#*=}" ;;
                *) for word in "$@"; do echo "java <$word>"; done ;;
                esac
                """);
        program("mvn", """
                echo "mvn $*"
                mkdir -p target/lib target/surefire-reports target/failsafe-reports && touch target/pushbridge.jar
                echo "Tests run: 5, Failures: 1, Errors: 0, Skipped: 0, Time elapsed: 1 s" > target/surefire-reports/A.txt
                echo "Tests run: 2, Failures: 0, Errors: 0, Skipped: 1, Time elapsed: 1 s" > target/failsafe-reports/B.txt
                exit $FAKE_MAVEN
                """);
        program("javac", "");
        program("sipp", "");
    }

    @Test
    void besideAJarWithoutSourcesItRunsThatJar() throws Exception {
        Files.createFile(home.resolve("pushbridge.jar"));

        Run run = launch(home.resolve("pushbridge"), "serve", "-c", "my file.conf");

        assertThat(run.exit).isZero();
        assertThat(run.output)
                .contains("java <-jar>\njava <" + home.toRealPath()
                        + "/pushbridge.jar>\njava <serve>\njava <-c>\njava <my file.conf>")
                .doesNotContain("mvn");
    }

    @Test
    void throughASymbolicLinkItFindsItsOwnFolder() throws Exception {
        Files.createFile(home.resolve("pushbridge.jar"));
        Path first = Files.createSymbolicLink(programs.resolve("first"), Path.of("../a home/pushbridge"));
        Path second = Files.createSymbolicLink(programs.resolve("second"), first);

        assertThat(launch(second).output).contains("java <" + home.toRealPath() + "/pushbridge.jar>");
    }

    @Test
    void amongSourcesItBuildsOnceAndAgainWhenTheyChange() throws Exception {
        Path source = Files.createDirectories(home.resolve("src/main")).resolve("A.java");
        Files.writeString(source, "");
        Files.createFile(home.resolve("pom.xml"));

        assertThat(launch(home.resolve("pushbridge"), "demo").output)
                .contains("pushbridge: building", "mvn -q -B -Dmaven.test.skip=true package", "java <demo>");
        assertThat(launch(home.resolve("pushbridge"), "demo").output)
                .doesNotContain("mvn")
                .contains("java <demo>");
        Path jar = home.resolve("target/pushbridge.jar");
        Files.setLastModifiedTime(
                source, FileTime.fromMillis(Files.getLastModifiedTime(jar).toMillis() + 5000));
        assertThat(launch(home.resolve("pushbridge"), "demo").output)
                .contains("mvn -q -B -Dmaven.test.skip=true package");
    }

    @Test
    void whatItKeepsForQuickerStartsIsMadeOnceForEachJar() throws Exception {
        Path jar = Files.createFile(home.resolve("pushbridge.jar"));
        archive = "made";

        for (int builds = 0; builds < 2; builds++) {
            Files.setLastModifiedTime(jar, FileTime.fromMillis(System.currentTimeMillis() - 10_000 + builds * 20_000L));
            assertThat(launch(home.resolve("pushbridge"), "serve").output)
                    .contains("preparing quicker starts", "java <serve>");
            if (builds == 0) {
                assertThat(launch(home.resolve("pushbridge"), "serve").output)
                        .contains("java <-XX:SharedArchiveFile=" + home.toRealPath() + "/pushbridge-17.jsa>")
                        .doesNotContain("preparing");
            }
        }
    }

    @Test
    void whereJavaKeepsWhatItCompiledThatIsKept() throws Exception {
        Path jar = Files.createFile(home.resolve("pushbridge.jar"));
        Files.setLastModifiedTime(jar, FileTime.fromMillis(System.currentTimeMillis() - 10_000));
        archive = "made";
        javaVersion = "25";

        assertThat(launch(home.resolve("pushbridge"), "serve").output)
                .contains("preparing quicker starts")
                .contains("java <-XX:AOTCache=" + home.toRealPath() + "/pushbridge-25.aot>")
                .doesNotContain("SharedArchiveFile");
    }

    @Test
    void withoutWhatMakesStartsQuickerItStartsAllTheSame() throws Exception {
        Files.createFile(home.resolve("pushbridge.jar"));

        Run run = launch(home.resolve("pushbridge"), "serve");

        assertThat(run.exit).isZero();
        assertThat(run.output).contains("java <serve>").doesNotContain("SharedArchiveFile");
        assertThat(home.resolve("pushbridge-17.jsa.lock")).doesNotExist();
    }

    @Test
    void aBuildThatFailsIsSaidAndRunsNothing() throws Exception {
        Files.createFile(home.resolve("pom.xml"));
        mavenExit = "1";

        Run run = launch(home.resolve("pushbridge"), "demo");

        assertThat(run.exit).isEqualTo(2);
        assertThat(run.output).contains("the build failed").doesNotContain("java <demo>");
    }

    @Test
    void theHeapIsHalfOfTheMemoryButNotMoreThanABridgeNeeds() throws Exception {
        Files.createFile(home.resolve("pushbridge.jar"));

        halfOfTheMemory = "3221225472";
        assertThat(launch(home.resolve("pushbridge"), "serve").output)
                .contains("java <-XX:MaxRAMPercentage=50>")
                .doesNotContain("java <-Xmx");

        halfOfTheMemory = "12641632256";
        assertThat(launch(home.resolve("pushbridge"), "serve").output)
                .contains("java <-Xmx3g>")
                .doesNotContain("java <-XX:MaxRAMPercentage");
    }

    @Test
    void anOldJavaIsRefusedWithWhatToDo() throws Exception {
        javaVersion = "1.8";

        Run run = launch(home.resolve("pushbridge"), "demo");

        assertThat(run.exit).isEqualTo(2);
        assertThat(run.output).contains("Java 17 or newer is needed, and java is Java 8; install a newer one");
    }

    @Test
    void theTestCommandRunsMavenAndPassesItsResultOn() throws Exception {
        Files.createFile(home.resolve("pom.xml"));

        Run passed = launch(home.resolve("pushbridge"), "test", "-Dtest=X");
        mavenExit = "1";
        Run failed = launch(home.resolve("pushbridge"), "test");

        assertThat(passed.exit).isZero();
        assertThat(passed.output)
                .contains("mvn -B verify -Dtest=X")
                .endsWith("Tests run: 7, Failures: 1, Errors: 0, Skipped: 1\npushbridge: all tests passed\n");
        assertThat(failed.exit).isEqualTo(1);
        assertThat(failed.output).contains("TESTS FAILED");
    }

    private record Run(int exit, String output) {}

    private Run launch(Path launcher, String... args) throws IOException, InterruptedException {
        ProcessBuilder builder = new ProcessBuilder(launcher.toString()).redirectErrorStream(true);
        builder.command().addAll(List.of(args));
        builder.environment().put("PATH", programs + ":/usr/bin:/bin");
        builder.environment().put("FAKE_JAVA", javaVersion);
        builder.environment().put("FAKE_HEAP", halfOfTheMemory);
        builder.environment().put("FAKE_MAVEN", mavenExit);
        builder.environment().put("FAKE_ARCHIVE", archive);
        builder.environment().remove("JAVA_HOME");
        builder.environment().remove("PUSHBRIDGE_JAVA_OPTS");
        Process process = builder.start();
        String output = new String(process.getInputStream().readAllBytes(), UTF_8);
        assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
        return new Run(process.exitValue(), output);
    }

    private void program(String name, String script) throws IOException {
        Path file = Files.writeString(programs.resolve(name), "#!/bin/sh\n" + script);
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
    }
}
