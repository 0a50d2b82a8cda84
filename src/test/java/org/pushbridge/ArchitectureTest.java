package org.pushbridge;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.library.Architectures.layeredArchitecture;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.library.Architectures.LayeredArchitecture;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.api.Test;

/** Which package may import which, and what every package has. A sub-package belongs to the row of its parent. */
class ArchitectureTest {
    private static final Map<String, List<String>> MAY_IMPORT = new TreeMap<>(Map.of(
            "call", List.of(),
            "engine", List.of("call"),
            "device", List.of(),
            "sip", List.of("engine", "call", "device"),
            "push", List.of("engine", "call", "device"),
            "store", List.of("call", "device"),
            "web", List.of("engine", "device"),
            "config", List.of(),
            "sim", List.of(),
            "app", List.of("call", "config", "device", "engine", "push", "sim", "sip", "store", "web")));

    private static final JavaClasses PRODUCT = new ClassFileImporter()
            .withImportOption(new ImportOption.DoNotIncludeTests())
            .importPackages("org.pushbridge");

    @Test
    void packagesImportOnlyWhatTheTableAllows() {
        LayeredArchitecture table = layeredArchitecture().consideringOnlyDependenciesInLayers();
        for (String name : MAY_IMPORT.keySet()) {
            table = table.optionalLayer(name).definedBy("org.pushbridge." + name + "..");
        }
        for (Map.Entry<String, List<String>> row : MAY_IMPORT.entrySet()) {
            table = row.getValue().isEmpty()
                    ? table.whereLayer(row.getKey()).mayNotAccessAnyLayer()
                    : table.whereLayer(row.getKey())
                            .mayOnlyAccessLayers(row.getValue().toArray(String[]::new));
        }
        table.allowEmptyShould(true).check(PRODUCT);
    }

    @Test
    void everyClassIsInAPackageOfTheTable() {
        String[] table = MAY_IMPORT.keySet().stream()
                .map(name -> "org.pushbridge." + name + "..")
                .toArray(String[]::new);
        classes().should().resideInAnyPackage(table).check(PRODUCT);
    }

    @Test
    void packagesFormNoCycle() {
        slices().matching("org.pushbridge.(*)..")
                .should()
                .beFreeOfCycles()
                .allowEmptyShould(true)
                .check(PRODUCT);
    }

    @Test
    void theRulesOfACallNeedTheJdkAlone() {
        classes()
                .that()
                .resideInAPackage("org.pushbridge.call..")
                .should()
                .onlyDependOnClassesThat()
                .resideInAnyPackage("java..", "org.jspecify.annotations..", "org.pushbridge.call..")
                .allowEmptyShould(true)
                .check(PRODUCT);
    }

    @Test
    void noPackageIsADrawerForEverything() {
        List<String> drawers = List.of("util", "common", "impl", "manager", "helper");
        assertThat(PRODUCT.stream()
                        .map(JavaClass::getPackageName)
                        .filter(name -> Arrays.stream(name.split("\\.")).anyMatch(drawers::contains)))
                .isEmpty();
    }

    @Test
    void everyPackageSaysThatItHasNoNulls() {
        assertThat(PRODUCT.stream()
                        .map(JavaClass::getPackage)
                        .distinct()
                        .filter(p -> !p.isAnnotatedWith(NullMarked.class))
                        .map(p -> p.getName()))
                .as("packages without a @NullMarked package-info.java")
                .isEmpty();
    }
}
