using System.Reflection;

namespace BackupEngine.TestKit.Requirements;

/// <summary>Finds the commands that tests run, and knows the Debian package of each (<c>tests/requirements.txt</c>).</summary>
internal static class SystemCommands
{
    private const string DebianPostgres = "/usr/lib/postgresql";

    private static readonly Lazy<Dictionary<string, string>> _packages = new(ReadPackages);

    /// <summary>Returns the full path of a command, or null when it is not installed.</summary>
    public static string? Find(string command) =>
        Path.IsPathRooted(command)
            ? File.Exists(command) ? command : null
            : Folders().Select(folder => Path.Combine(folder, command)).FirstOrDefault(File.Exists);

    /// <summary>Returns the Debian package that has a command, or null when <c>tests/requirements.txt</c> does not list the command.</summary>
    public static string? FindPackage(string command) => _packages.Value.GetValueOrDefault(command);

    /// <summary>Gets the commands that <c>tests/requirements.txt</c> lists.</summary>
    public static IReadOnlyCollection<string> Listed => _packages.Value.Keys;

    private static IEnumerable<string> Folders()
    {
        string[] path = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries);

        // Debian keeps PostgreSQL's server commands outside of PATH, behind pg_lsclusters.
        bool hasDebianPostgres = path.Any(folder => File.Exists(Path.Combine(folder, "pg_lsclusters"))) && Directory.Exists(DebianPostgres);
        return hasDebianPostgres
            ? path.Concat(Directory.EnumerateDirectories(DebianPostgres).Select(version => Path.Combine(version, "bin")))
            : path;
    }

    private static Dictionary<string, string> ReadPackages()
    {
        using Stream file = Assembly.GetExecutingAssembly().GetManifestResourceStream("requirements.txt")!;
        using StreamReader reader = new(file);
        return reader.ReadToEnd()
            .Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Where(line => line[0] != '#')
            .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            .ToDictionary(fields => fields[0], fields => fields[1]);
    }
}
