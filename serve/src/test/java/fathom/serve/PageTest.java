package fathom.serve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/// The page for people in a real browser, with its policy in force, by keyboard and in the dark.
class PageTest {
  private static final String SHOWN = "document.querySelectorAll('#classes li').length === 5";

  @TempDir Path folder;

  @BeforeAll
  static void findTheBrowser() {
    Browser.find();
  }

  @Test
  void anImageIsGivenAndItsClassesAreRead() throws Exception {
    Path image = folder.resolve("digit.png");
    Files.write(image, Digits.png(3));
    Path text = Files.writeString(folder.resolve("notes.png"), "no image");
    JsonNode best = Digits.json(classified()).path("predictions").path(0).path("top").path(0);
    try (ModelServer server = Digits.server(Digits.settings());
        var browser = new Browser(folder.resolve("profile"))) {
      browser.open(server.address() + "/");
      browser.await("document.querySelector('#status').textContent === 'Ready.'");
      assertEquals("digits", browser.evaluate("document.querySelector('#model').value").asString());

      // The keyboard reaches the model and the file, in this order.
      browser.press("Tab");
      assertEquals("model", browser.evaluate("document.activeElement.id").asString());
      browser.press("Tab");
      assertEquals("file", browser.evaluate("document.activeElement.id").asString());

      browser.chooses("#file", image);
      browser.await(SHOWN);
      String said = browser.evaluate("document.querySelector('#status').textContent").asString();
      assertTrue(said.startsWith("digit.png: " + best.path("class").asString() + ", "), said);
      assertEquals(
          5, browser.evaluate("document.querySelectorAll('#classes .bar').length").asInt());
      double bar =
          browser
              .evaluate(
                  "const b = document.querySelector('#classes .bar'); b.offsetWidth / b.parentElement.offsetWidth")
              .asDouble();
      assertEquals(best.path("probability").asDouble(), bar, 0.02);
      assertTrue(
          browser.evaluate("document.querySelector('#shown').naturalWidth === 8").asBoolean());

      // What a screen reader has: a heading, labels, the state, and the classes as a list.
      List<String> roles = browser.roles();
      for (String role : List.of("heading What does it show?", "combobox Model", "status ")) {
        assertTrue(roles.stream().anyMatch(each -> each.startsWith(role)), role + " in " + roles);
      }
      assertEquals(5, roles.stream().filter(each -> each.startsWith("listitem")).count());
      assertTrue(roles.stream().anyMatch(each -> each.startsWith("image The image")), "" + roles);

      browser.chooses("#file", text);
      browser.await("document.querySelector('#status').className === 'failed'");
      String failed = browser.evaluate("document.querySelector('#status').textContent").asString();
      assertTrue(failed.contains("an image must be a JPEG"), failed);
      assertTrue(browser.evaluate("document.querySelector('#result').hidden").asBoolean());

      assertEquals("rgb(251, 251, 248)", paper(browser));
      browser.dark();
      assertEquals("rgb(16, 23, 28)", paper(browser));
      assertEquals(List.of(), browser.complaints());
      for (JsonNode request : browser.requests()) {
        String url = request.asString();
        assertTrue(
            url.startsWith(server.address().toString()) || url.matches("(blob|data):.*"), url);
      }
    }
  }

  @Test
  void aTokenIsAskedFor() throws Exception {
    Path image = folder.resolve("digit.png");
    Files.write(image, Digits.png(3));
    try (ModelServer server = Digits.server(Digits.settings().withToken("open"));
        var browser = new Browser(folder.resolve("profile"))) {
      browser.open(server.address() + "/");
      browser.await("document.activeElement.id === 'token'");
      browser.types("open");
      browser.press("Enter");
      browser.await("document.querySelector('#status').textContent === 'Ready.'");
      browser.chooses("#file", image);
      browser.await(SHOWN);
    }
  }

  private static byte[] classified() throws Exception {
    try (ModelServer server = Digits.server(Digits.settings())) {
      return Digits.classify(server, 3).body();
    }
  }

  private static String paper(Browser browser) throws Exception {
    return browser.evaluate("getComputedStyle(document.body).backgroundColor").asString();
  }
}
