using System.Reflection;

namespace BackupEngine.TestKit;

/// <summary>Finds the options that are enumerations, so that a new one cannot be forgotten where options are checked.</summary>
public static class OptionEnums
{
    /// <summary>Returns every property with an enumeration as its type, nullable or not, of every public options type.</summary>
    public static IReadOnlyList<PropertyInfo> Find(Assembly assembly) =>
    [
        .. assembly.GetExportedTypes().Where(type => type.Name.EndsWith("Options", StringComparison.Ordinal))
            .SelectMany(type => type.GetProperties(BindingFlags.Instance | BindingFlags.Public))
            .Where(property => EnumOf(property).IsEnum),
    ];

    /// <summary>Sets a property of an options object to a number that its enumeration does not have.</summary>
    public static void SetUndefined(PropertyInfo property, object options, int number) => property.SetValue(options, Enum.ToObject(EnumOf(property), number));

    /// <summary>Gets a value that indicates whether the enumeration of a property has a number.</summary>
    public static bool IsDefined(PropertyInfo property, int number) => Enum.IsDefined(EnumOf(property), Enum.ToObject(EnumOf(property), number));

    private static Type EnumOf(PropertyInfo property) => Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType;
}
