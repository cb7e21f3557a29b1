using System.Text.Json;

namespace BackupEngine.Cli.Tests.Running;

/// <summary>How the program ended, and what it printed.</summary>
internal sealed record CliResult(int ExitCode, string Stdout, string Stderr)
{
    /// <summary>Stdout as the one JSON document that it must be.</summary>
    public JsonElement Json
    {
        get
        {
            using JsonDocument document = JsonDocument.Parse(Stdout);
            return document.RootElement.Clone();
        }
    }

    /// <summary>The program did what it was asked, and complained of nothing.</summary>
    public CliResult MustSucceed()
    {
        Assert.True(ExitCode == ExitCodes.Done, $"Exit code {ExitCode}: {Stderr}");
        Assert.Equal("", Stderr);
        return this;
    }

    /// <summary>The program refused with one clear line.</summary>
    public void MustFail(int exitCode, params string[] mentions)
    {
        string line = MustFailInOneLine(exitCode, mentions);
        Assert.Equal("", Stdout);
        Assert.DoesNotContain("unexpected", line, StringComparison.Ordinal);
    }

    /// <summary>The program refused, with one line for people and one document for scripts that say the same.</summary>
    public void MustFailWithJson(int exitCode, params string[] mentions)
    {
        string line = MustFailInOneLine(exitCode, mentions);
        Assert.Equal(["error", "exit_code"], Json.EnumerateObject().Select(property => property.Name).Order());
        Assert.Equal(exitCode, Json.GetProperty("exit_code").GetInt32());
        Assert.Equal(line, $"error: {Json.GetProperty("error").GetString()}");
    }

    private string MustFailInOneLine(int exitCode, string[] mentions)
    {
        Assert.True(ExitCode == exitCode, $"Exit code {ExitCode} instead of {exitCode}: {Stderr}");
        string line = Assert.Single(Stderr.TrimEnd('\n').Split('\n'));
        Assert.StartsWith("error: ", line, StringComparison.Ordinal);
        Assert.All(mentions, mention => Assert.Contains(mention, line, StringComparison.Ordinal));
        return line;
    }
}
