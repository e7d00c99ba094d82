package fathom.cli;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/// Marks an option that few users need. `--help` lists it by its name alone, below the others, so
/// that the help of every command fits on a screen; `--help-all` describes it.
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.FIELD)
@interface Rare {}
