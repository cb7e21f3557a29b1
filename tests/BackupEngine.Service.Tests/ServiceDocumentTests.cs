using System.Globalization;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;

namespace BackupEngine.Service.Tests;

/// <summary>docs/service.md agrees with the code.</summary>
public sealed partial class ServiceDocumentTests
{
    private static readonly string _document = File.ReadAllText(Path.Join(FindRoot(), "docs", "service.md")).ReplaceLineEndings("\n");

    [Fact]
    public void The_listed_log_events_are_those_of_the_code()
    {
        string[] inCode =
        [
            .. typeof(BackupServiceOptions).Assembly.GetTypes()
                .SelectMany(type => type.GetMethods(BindingFlags.Static | BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly))
                .Select(method => method.GetCustomAttribute<LoggerMessageAttribute>()).OfType<LoggerMessageAttribute>()
                .OrderBy(logged => logged.EventId).Select(logged => string.Create(CultureInfo.InvariantCulture, $"{logged.EventId} {logged.Level}")),
        ];
        Assert.NotEmpty(inCode);
        Assert.Equal(inCode.Distinct(), inCode);
        Assert.Equal(inCode, EventRow().Matches(_document).Select(row => $"{row.Groups[1].Value} {row.Groups[2].Value}"));
    }

    [Fact]
    public void The_configuration_can_be_used_and_its_values_are_the_defaults_but_where_it_says_otherwise()
    {
        string json = ConfigurationBlock().Match(_document).Groups[1].Value;
        using MemoryStream stream = new(Encoding.UTF8.GetBytes(json));
        IConfiguration configuration = new ConfigurationBuilder().AddJsonStream(stream).Build();
        BackupServiceOptions shown = configuration.GetSection(BackupServiceOptions.Section).Get<BackupServiceOptions>(binder => binder.ErrorOnUnknownConfiguration = true)!;
        OptionsValidation.Check(new ServeOptions { VolumesDirectory = "/volumes", DataDirectory = "/data", OpenStore = _ => throw new NotSupportedException() }, shown);
        BackupServiceOptions usual = new();
        Assert.Equal(usual, shown with { Auth = usual.Auth, Keystone = usual.Keystone, Tokens = usual.Tokens, Limits = usual.Limits, Devices = usual.Devices });
        Assert.Equal(usual.Keystone.CacheSeconds, shown.Keystone.CacheSeconds);
    }

    private static string FindRoot([CallerFilePath] string thisFile = "") => Path.GetFullPath(Path.Join(Path.GetDirectoryName(thisFile), "..", ".."));

    [GeneratedRegex(@"^\| (\d{4}) \| (\w+) \|", RegexOptions.Multiline)]
    private static partial Regex EventRow();

    [GeneratedRegex("^```json\n(.*?)^```", RegexOptions.Singleline | RegexOptions.Multiline)]
    private static partial Regex ConfigurationBlock();
}
