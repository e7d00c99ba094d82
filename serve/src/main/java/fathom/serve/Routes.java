package fathom.serve;

import fathom.DeviceException;
import fathom.io.BadFileException;
import fathom.io.Shown;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executor;
import java.util.function.BiFunction;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// What is answered to which request.
final class Routes {
  /// What a request asks for, and how it is answered. `method` is the only one that does.
  private record Route(String operation, String method, boolean open, String model, Work work) {}

  private interface Work {
    CompletableFuture<Reply> answer(Request request);
  }

  private record Server(String name, String version, List<String> extensions) {}

  private record Live(boolean live) {}

  private record Ready(boolean ready) {}

  private record ModelReady(String name, boolean ready) {}

  private record Indexed(String name, String version, String state, String reason) {}

  private static final String POLICY =
      "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src blob: data:;"
          + " base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

  private static final List<String> EXTENSIONS =
      List.of("binary_tensor_data", "model_repository", "classify");

  private final Models models;
  private final ServerMetrics metrics;
  private final Limits limits;
  private final byte @Nullable [] token;
  private final String version;
  private final Executor decoding;
  private volatile boolean draining;

  /// @param decoding runs what computes
  Routes(
      Models models,
      ServerMetrics metrics,
      ServerSettings settings,
      String version,
      Executor decoding) {
    this.models = models;
    this.metrics = metrics;
    this.limits = settings.limits();
    String secret = settings.token();
    this.token = secret == null ? null : secret.getBytes(StandardCharsets.UTF_8);
    this.version = version;
    this.decoding = decoding;
  }

  /// Predicts nothing more.
  void drain() {
    draining = true;
  }

  boolean isDraining() {
    return draining;
  }

  /// Returns the refusal of a request whose head alone says that it will be refused, or null.
  @Nullable Reply refusal(Request request) {
    try {
      Route route = route(request);
      request.about(route.operation, route.model);
      if (!route.open && !isPermitted(request)) {
        throw new Reply.RefusedException(
            401, "token", "the server answers those who have its token, as Authorization: Bearer");
      }
      if (!route.method.equals(request.method().equals("HEAD") ? "GET" : request.method())) {
        throw new Reply.RefusedException(
            405,
            "method",
            "%s is for %s, but the method is %s"
                .formatted(
                    Shown.name(request.target()), route.method, Shown.name(request.method())));
      }
      if (route.method.equals("POST")) {
        checkOrigin(request);
        if (draining) {
          throw new Reply.RefusedException(503, "draining", "the server is stopping; ask another");
        }
      }
      return null;
    } catch (Reply.RefusedException e) {
      return e.reply();
    }
  }

  /// Answers a request that was not refused. The result is never an exception but that the request
  /// was not worked on, because nobody waits for it.
  CompletableFuture<Reply> answer(Request request) {
    CompletableFuture<Reply> answer;
    try {
      answer = route(request).work.answer(request);
    } catch (RuntimeException | Error e) {
      answer = CompletableFuture.failedFuture(e);
    }
    return answer.exceptionally(Routes::failure);
  }

  private static Reply failure(Throwable failed) {
    Throwable e =
        failed instanceof CompletionException && failed.getCause() != null
            ? failed.getCause()
            : failed;
    return switch (e) {
      case Reply.RefusedException refused -> refused.reply();
      case CancellationException gone -> throw gone;
      case BadFileException bad -> Reply.bad(String.valueOf(bad.getMessage())).reply();
      case DeviceException small ->
          new Reply.RefusedException(503, "memory", String.valueOf(small.getMessage())).reply();
      case OutOfMemoryError _ ->
          new Reply.RefusedException(503, "memory", "the heap of the server is full").reply();
      default -> {
        e.printStackTrace();
        yield new Reply.RefusedException(
                500, "failed", "the server failed; its standard error says where")
            .reply();
      }
    };
  }

  /// Returns whether the request has the token, in a time that does not depend on where they
  /// differ.
  private boolean isPermitted(Request request) {
    String given = request.header("Authorization");
    return token == null
        || (given != null
            && given.regionMatches(true, 0, "Bearer ", 0, 7)
            && MessageDigest.isEqual(
                token, given.substring(7).strip().getBytes(StandardCharsets.UTF_8)));
  }

  /// A page of another site may let a browser post here; no such page is served.
  private static void checkOrigin(Request request) {
    String origin = request.header("Origin");
    String host = request.header("Host");
    if (origin != null && !origin.equals("http://" + host) && !origin.equals("https://" + host)) {
      throw new Reply.RefusedException(
          403,
          "origin",
          "a page of %s may not post to %s".formatted(Shown.name(origin), Shown.name("" + host)));
    }
  }

  private Route route(Request request) {
    List<String> path = request.path();
    String first = path.isEmpty() ? "" : path.getFirst();
    return switch (first) {
      case "" -> page("page.html", "text/html; charset=utf-8");
      case "page.js" -> page(first, "text/javascript; charset=utf-8");
      case "page.css" -> page(first, "text/css; charset=utf-8");
      case "metrics" ->
          new Route(
              "metrics",
              "GET",
              false,
              "",
              _ ->
                  CompletableFuture.supplyAsync(
                      () ->
                          Reply.of(
                              "text/plain; version=0.0.4; charset=utf-8",
                              metrics.scrape().getBytes(StandardCharsets.UTF_8)),
                      Thread::startVirtualThread));
      case "v2" -> v2(request, path);
      default -> throw nothing(request);
    };
  }

  private static Reply.RefusedException nothing(Request request) {
    return Reply.unknown(
        "there is nothing at %s; GET /v2 says what this is"
            .formatted(Shown.name(request.target())));
  }

  private Route v2(Request request, List<String> path) {
    return switch (String.join("/", path.subList(1, path.size()))) {
      case "" -> get("server", false, () -> new Server("fathom", version, EXTENSIONS));
      case "health/live" -> get("health", true, () -> new Live(true));
      case "health/ready" -> ready(new Ready(true), new Ready(false), true);
      case "repository/index" ->
          new Route("index", "POST", false, "", _ -> done(Reply.json(index())));
      default -> {
        if (path.size() == 5
            && path.get(1).equals("repository")
            && path.get(2).equals("models")
            && path.get(4).equals("load")) {
          yield load(path.get(3));
        }
        if (path.size() < 3 || !path.get(1).equals("models")) {
          throw nothing(request);
        }
        yield model(request, path.get(2), path.subList(3, path.size()));
      }
    };
  }

  private Route model(Request request, String name, List<String> rest) {
    ServedModel model = models.get(name);
    List<String> what = rest;
    if (what.size() >= 2 && what.getFirst().equals("versions")) {
      if (!what.get(1).equals("" + model.version())) {
        throw Reply.unknown(
            "the model %s is served in version %s, but %s is asked for"
                .formatted(name, model.version(), Shown.name(what.get(1))));
      }
      what = what.subList(2, what.size());
    }
    return switch (String.join("/", what)) {
      case "" ->
          new Route("metadata", "GET", false, name, _ -> done(Reply.json(Infer.metadata(model))));
      case "ready" -> ready(new ModelReady(name, true), new ModelReady(name, false), false);
      case "infer" -> prediction("infer", name, Infer::answer);
      case "classify" -> prediction("classify", name, Classify::answer);
      default -> throw nothing(request);
    };
  }

  private static CompletableFuture<Reply> done(Reply reply) {
    return CompletableFuture.completedFuture(reply);
  }

  private static Route get(String operation, boolean open, Supplier<Object> answer) {
    return new Route(operation, "GET", open, "", _ -> done(Reply.json(answer.get())));
  }

  private Route ready(Record yes, Record no, boolean open) {
    return new Route(
        "health",
        "GET",
        open,
        "",
        _ -> {
          Reply said = Reply.json(draining ? no : yes);
          return done(
              draining
                  ? new Reply(503, said.type(), said.body(), Map.of("Retry-After", "1"), "draining")
                  : said);
        });
  }

  private List<Indexed> index() {
    return models.names().stream()
        .map(name -> new Indexed(name, "" + models.get(name).version(), "READY", ""))
        .toList();
  }

  private Route load(String name) {
    var _ = models.get(name); // throws if there is no such model
    return new Route(
        "load",
        "POST",
        false,
        name,
        _ ->
            CompletableFuture.supplyAsync(
                () -> {
                  models.load(name);
                  return Reply.empty();
                },
                work -> Thread.ofPlatform().name("fathom-serve-load").daemon().start(work)));
  }

  private Route prediction(
      String operation, String model, BiFunction<Places, Limits, CompletableFuture<Reply>> answer) {
    return new Route(
        operation,
        "POST",
        false,
        model,
        request -> {
          Places places = Places.of(models, model, request);
          return CompletableFuture.completedFuture(places)
              .thenComposeAsync(
                  taken -> {
                    try (taken) {
                      if (request.isOver()) {
                        throw new CancellationException("nobody waits for it");
                      }
                      return answer.apply(taken, limits);
                    }
                  },
                  decoding);
        });
  }

  private static Route page(String name, String type) {
    return new Route(
        "page",
        "GET",
        true,
        "",
        _ -> {
          try (var in = Objects.requireNonNull(Routes.class.getResourceAsStream(name))) {
            return done(Reply.of(type, in.readAllBytes()).with("Content-Security-Policy", POLICY));
          } catch (IOException e) {
            throw new IllegalStateException("a resource cannot be read: " + name, e);
          }
        });
  }
}
